// Room integrations: the OAuth app an integration is connected with. Its secret is write-only: a stored one is never shown again.
import type { IntegrationInfo, IntegrationsInfo } from "@holdfast/protocol";
import { type FormEvent, useState } from "react";
import { useSaveOAuthApp } from "../api/actions.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Button, Select } from "../parts/controls.tsx";

interface AppFormProps {
  integration: IntegrationInfo;
  providers: IntegrationsInfo["providers"];
}

const textOf = (form: FormData, name: string): string => String(form.get(name) ?? "").trim();

export function AppForm({ integration, providers }: AppFormProps) {
  const { id, app } = integration;
  const save = useSaveOAuthApp(useEnv(), id);
  const usual = providers.find((each) => each.id === id)?.id ?? providers[0]?.id ?? "";
  const [chosen, setChosen] = useState(app?.provider ?? usual);
  const provider = providers.find((each) => each.id === chosen);
  const store = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const optional = (name: string) => (textOf(form, name) === "" ? {} : { [name]: textOf(form, name) });
    const scopes = textOf(form, "scopes")
      .split(/[\s,]+/)
      .filter(Boolean);
    const addresses = {
      ...optional("authorizeUrl"),
      ...optional("tokenUrl"),
      ...(provider?.endsTokens ? optional("revokeUrl") : {}),
      ...optional("issuer"),
    };
    save.mutate({ provider: chosen, clientId: textOf(form, "clientId"), scopes, ...optional("clientSecret"), ...addresses });
  };
  return (
    <form onSubmit={store} className="flex flex-col gap-2">
      <Select label={`Service of ${id}`} value={chosen} onChange={(event) => setChosen(event.target.value)}>
        {providers.map(({ id: each, name }) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </Select>
      <Field name="clientId" label="Client id" required initial={app?.clientId} />
      <Field name="clientSecret" label="Client secret" secret hint={app?.hasSecret ? "stored; leave empty to keep it" : ""} />
      <Field name="scopes" label="Scopes" initial={app?.scopes.join(" ")} hint="separated by spaces" />
      <Addresses app={app} provider={provider} />
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" disabled={save.isPending}>
          {app === null ? "Set up" : "Save"}
        </Button>
        {provider?.appsUrl && (
          <a href={provider.appsUrl} target="_blank" rel="noreferrer" className="text-xs text-accent underline">
            Make one at {provider.name}
          </a>
        )}
      </div>
    </form>
  );
}

/** Where the service is, where it ends tokens, and what it calls itself. */
function Addresses({ app, provider }: { app: IntegrationInfo["app"]; provider: AppFormProps["providers"][number] | undefined }) {
  return (
    <>
      <Field
        name="authorizeUrl"
        label="Authorize URL"
        required={provider?.needsUrls}
        initial={app?.authorizeUrl}
        hint="if not the usual one"
      />
      <Field
        name="tokenUrl"
        label="Token URL"
        required={provider?.needsUrls}
        initial={app?.tokenUrl}
        hint="if not the usual one"
      />
      {provider?.endsTokens && (
        <Field
          name="revokeUrl"
          label="Revoke URL"
          initial={app?.revokeUrl}
          hint={provider.needsUrls ? "where it ends tokens (RFC 7009), if it does" : "if not the usual one"}
        />
      )}
      <Field name="issuer" label="Issuer" initial={app?.issuer} hint="if its answers name one: `iss` (RFC 9207)" />
    </>
  );
}

interface FieldProps {
  name: string;
  label: string;
  initial?: string | null | undefined;
  hint?: string;
  secret?: boolean;
  required?: boolean | undefined;
}

function Field({ name, label, initial, hint = "", secret = false, required = false }: FieldProps) {
  return (
    <label className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
      <span className="w-28 text-xs text-soft">{label}</span>
      <input
        name={name}
        type={secret ? "password" : "text"}
        autoComplete="off"
        spellCheck={false}
        required={required}
        placeholder={hint}
        defaultValue={initial ?? ""}
        className="field min-w-40 flex-1"
      />
    </label>
  );
}
