// Room endpoints: the signing secret kept on the server for an endpoint. Write-only: a stored secret is never shown again.
import type { EndpointInfo } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useSetSecret } from "../api/actions.ts";
import { catalogueQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Button, Select } from "../parts/controls.tsx";
import { Icon } from "../parts/Icon.tsx";

export function SecretForm({ endpoint }: { endpoint: EndpointInfo }) {
  const presets = useQuery(catalogueQuery).data ?? [];
  const set = useSetSecret(useEnv(), endpoint.id);
  const [preset, setPreset] = useState(endpoint.provider ?? "");
  const [secret, setSecret] = useState("");
  const chosen = preset || (presets[0]?.id ?? "");
  const store = (event: FormEvent) => {
    event.preventDefault();
    set.mutate({ preset: chosen, secret }, { onSuccess: () => setSecret("") });
  };
  return (
    <form onSubmit={store} className="flex flex-col gap-2">
      <SecretState has={endpoint.hasSecret} />
      <div className="flex flex-wrap gap-2">
        <Select label="Preset" value={chosen} onChange={(event) => setPreset(event.target.value)}>
          {presets.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name}
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
        <Button type="submit" disabled={secret.trim() === "" || chosen === "" || set.isPending}>
          {endpoint.hasSecret ? "Replace secret" : "Set secret"}
        </Button>
      </div>
      <p className="text-xs text-soft">
        With a secret here, this server verifies by the preset's rules, whatever the app does. Stored encrypted.
      </p>
    </form>
  );
}

const SecretState = ({ has }: { has: boolean }) => (
  <p className={`flex items-center gap-1.5 ${has ? "text-ok" : "text-soft"}`}>
    <Icon name={has ? "shield" : "key"} />
    {has ? "A secret is stored." : "No secret is stored on this server."}
  </p>
);
