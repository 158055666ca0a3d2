// Room: api. Which server a command talks to: `--url`/`--token`, then HOLDFAST_API_URL/HOLDFAST_API_KEY, then `{data-dir}/server.json`.
// Called by every command that asks a server. Promise: either an address, or an error that says how to get one.
import { CommandError } from "../output/exit-codes.ts";
import type { CliWorld } from "../platform/world.ts";
import { readServerFile, type ServerFile } from "../settings/server-file.ts";

export interface ServerFlags {
  url?: string;
  token?: string;
  env?: string;
}

export interface ServerAddress {
  /** Without a slash at the end. */
  url: string;
  token: string | null;
  /** Slug of the environment to work in: --env, else the one the key opens, else "dev". */
  environment: string;
}

export function findServer(world: Pick<CliWorld, "env">, flags: ServerFlags, dataDir: string): ServerAddress {
  const file = readServerFile(dataDir);
  const url = flags.url || world.env.HOLDFAST_API_URL || file?.url;
  if (!url) {
    const hint = "Start one with `holdfast dev`, or name one with --url or HOLDFAST_API_URL.";
    throw new CommandError("SERVER_UNREACHABLE", `No Holdfast server is known here (${dataDir} has no server.json).`, hint);
  }
  const clean = checked(url);
  const token = flags.token || world.env.HOLDFAST_API_KEY || keyFor(clean, file);
  return { url: clean, token, environment: flags.env ?? slugOf(token) ?? "dev" };
}

/** The key of server.json goes to the server it names and to no other. */
function keyFor(url: string, file: ServerFile | null): string | null {
  return file && checked(file.url) === url ? file.key : null;
}

function checked(url: string): string {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url.replace(/\/+$/, "");
  throw new CommandError("USAGE", `"${url}" is no address of a server.`, "It looks like http://127.0.0.1:3040.");
}

/** `tr_prod_…` opens the environment "prod". */
function slugOf(token: string | null): string | null {
  return /^tr_([a-z]+)_/.exec(token ?? "")?.[1] ?? null;
}
