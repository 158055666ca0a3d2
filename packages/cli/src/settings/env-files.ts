// Room: settings. The project's `.env` files, as its own framework would read them. Called by dev/.
// Promise: only reads; what the environment already holds is not the concern of this file.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

const NAMES = [".env", ".env.development", ".env.local", ".env.development.local"];

/** The values of all of them; a later name wins. */
export function readEnvFiles(cwd: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const path of NAMES.map((name) => join(cwd, name)).filter((each) => existsSync(each))) {
    Object.assign(values, parseEnv(readFileSync(path, "utf8")));
  }
  return values;
}
