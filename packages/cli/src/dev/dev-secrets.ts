// Room: dev. Signing secrets of the catalogue's providers, so that a signed sample is accepted before anyone has an account there.
// Promise: a secret the person has set is used and never replaced; one we make is kept in the data directory, readable by its owner only.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "@holdfast/catalogue";
import type { CliWorld } from "../platform/world.ts";

export interface DevSecrets {
  /** Every provider's secret, made or given: what the server signs samples with. */
  all: Record<string, string>;
  /** Only those we made: what an app must be given. */
  made: Record<string, string>;
}

/** `given` is the environment with the project's `.env` files under it; the data directory exists. */
export function devSecrets(
  world: Pick<CliWorld, "random">,
  given: Record<string, string | undefined>,
  dataDir: string,
): DevSecrets {
  const names = catalogue.flatMap((entry) => (entry.secretEnv ? [entry.secretEnv] : []));
  const path = join(dataDir, "dev-secrets.json");
  const kept = read(path);
  const made: Record<string, string> = {};
  for (const name of names.filter((each) => !given[each])) {
    made[name] = kept[name] ?? `whsec_${Buffer.from(world.random(24)).toString("base64")}`;
  }
  if (Object.keys(made).some((name) => !kept[name])) {
    writeFileSync(path, `${JSON.stringify({ ...kept, ...made }, null, 2)}\n`, { mode: 0o600 });
  }
  const all = names.map((name) => [name, given[name] || made[name] || ""] as const);
  return { made, all: Object.fromEntries(all) };
}

function read(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return {};
  }
}
