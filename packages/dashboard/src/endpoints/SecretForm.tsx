// Room endpoints: the signing secret kept on the server for an endpoint. Write-only: a stored secret is never shown again.
import type { EndpointInfo } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useSetSecret } from "../api/actions.ts";
import { catalogueEntryQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Confirm } from "../parts/Confirm.tsx";
import { Button, Select } from "../parts/controls.tsx";
import { Icon } from "../parts/Icon.tsx";

/** The signature schemes the server can check by itself; the catalogue names one of them for each provider. */
const PRESETS: Record<string, string> = { svix: "Svix", standard: "Standard Webhooks" };

/** What the endpoint's provider signs with, when the catalogue knows it. */
function useProviderPreset(endpoint: EndpointInfo): string {
  const entry = useQuery({ ...catalogueEntryQuery(endpoint.provider ?? ""), enabled: endpoint.provider !== null }).data;
  const scheme = entry?.signature?.scheme ?? "";
  return scheme in PRESETS ? scheme : "standard";
}

export function SecretForm({ endpoint }: { endpoint: EndpointInfo }) {
  const set = useSetSecret(useEnv(), endpoint.id);
  const usual = useProviderPreset(endpoint);
  const [chosen, setChosen] = useState<string | null>(null);
  const [secret, setSecret] = useState("");
  const preset = chosen ?? usual;
  const store = (event: FormEvent) => {
    event.preventDefault();
    set.mutate({ preset, secret: secret.trim() }, { onSuccess: () => setSecret("") });
  };
  return (
    <form onSubmit={store} className="flex flex-col gap-2">
      <SecretState has={endpoint.hasSecret} />
      <div className="flex flex-wrap gap-2">
        <Select label="Preset" value={preset} onChange={(event) => setChosen(event.target.value)}>
          {Object.entries(PRESETS).map(([id, title]) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </Select>
        <input
          type="password"
          autoComplete="off"
          aria-label="Signing secret"
          placeholder="whsec_…"
          className="field min-w-40 flex-1"
          value={secret}
          onChange={(event) => setSecret(event.target.value)}
        />
        <Button type="submit" disabled={secret.trim() === "" || set.isPending}>
          {endpoint.hasSecret ? "Replace secret" : "Set secret"}
        </Button>
        {endpoint.hasSecret && <Remove onRemove={() => set.mutate({ preset, secret: null })} />}
      </div>
      <p className="text-xs text-soft">
        With a secret here, this server verifies by the preset's rules, whatever the app does. Stored encrypted.
      </p>
    </form>
  );
}

const Remove = ({ onRemove }: { onRemove(): void }) => (
  <Confirm label="Remove" kind="danger" title="Remove the stored secret?" act="Remove the secret" onConfirm={onRemove}>
    From then on the app's own verify() decides again.
  </Confirm>
);

const SecretState = ({ has }: { has: boolean }) => (
  <p className={`flex items-center gap-1.5 ${has ? "text-ok" : "text-soft"}`}>
    <Icon name={has ? "shield" : "key"} />
    {has ? "A secret is stored." : "No secret is stored on this server."}
  </p>
);
