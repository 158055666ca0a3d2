// Room: settings. From flags, environment and config file to one settled object; precedence flag > env > file > default.
// Called by every command. Promise: a value that cannot be used is refused with the name of the place it came from.
import { resolve } from "node:path";
import { CommandError } from "../output/exit-codes.ts";
import type { CliWorld } from "../platform/world.ts";
import type { LoadedConfig } from "./config-file.ts";

/** What flags may say; commander leaves out what was not given. */
export interface Flags {
  port?: string;
  host?: string;
  dataDir?: string;
  databaseUrl?: string;
  devSchedules?: string;
  publicUrl?: string;
  apiRateLimit?: string;
  runsAtOnce?: string;
  json?: boolean;
}

export interface Settings {
  port: number;
  /** False when the port is our default: then another one will do. */
  portChosen: boolean;
  host: string;
  /** Absolute. */
  dataDir: string;
  databaseUrl: string | null;
  /** Whether schedules run in development environments. */
  devSchedules: boolean;
  /** Where other services reach the server; null: where it listens. */
  publicUrl: string | null;
  /** Requests of one environment that a server takes; null: any number. */
  apiRate: { perSecond: number; burst: number } | null;
  /** How many runs of each environment execute at once; null: any number. */
  runsAtOnce: number | null;
  /** Files `dev` runs when it is given none. */
  files: string[];
}

interface Place {
  value: string;
  from: string;
}

export function settle(world: Pick<CliWorld, "env" | "cwd">, flags: Flags, config: LoadedConfig): Settings {
  const pick = (flag: Exclude<keyof Flags, "json">, flagName: string, variable: string): Place | null =>
    place(flags[flag], flagName) ?? place(world.env[variable], variable) ?? place(config.values[flag], config.name);
  const port = pick("port", "--port", "HOLDFAST_PORT");
  return {
    port: port ? toPort(port) : 3040,
    portChosen: port !== null,
    host: pick("host", "--host", "HOLDFAST_HOST")?.value ?? "127.0.0.1",
    dataDir: resolve(world.cwd, pick("dataDir", "--data-dir", "HOLDFAST_DATA_DIR")?.value ?? ".holdfast"),
    devSchedules: toSwitch(pick("devSchedules", "--dev-schedules", "HOLDFAST_DEV_SCHEDULES")),
    publicUrl: toOrigin(pick("publicUrl", "--public-url", "HOLDFAST_PUBLIC_URL")),
    apiRate: toRate(pick("apiRateLimit", "--api-rate-limit", "HOLDFAST_API_RATE_LIMIT")),
    runsAtOnce: toRunsAtOnce(pick("runsAtOnce", "--runs-at-once", "HOLDFAST_RUNS_AT_ONCE")),
    databaseUrl: pick("databaseUrl", "--database-url", "DATABASE_URL")?.value ?? null,
    files: config.values.files ?? [],
  };
}

/** On unless something says off. */
function toSwitch(place: Place | null): boolean {
  if (place === null || place.value === "on") return true;
  if (place.value === "off") return false;
  throw new CommandError("USAGE", `${place.from} must be "on" or "off", not "${place.value}".`);
}

/** An origin, without a path: routes of the server follow it. */
function toOrigin(place: Place | null): string | null {
  if (place === null) return null;
  const url = URL.canParse(place.value) ? new URL(place.value) : null;
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "") return url.origin;
  throw new CommandError("USAGE", `${place.from} must be like "https://jobs.example.com", not "${place.value}".`);
}

/** Seconds whose requests may come at once, where nothing says how many. */
const BURST_SECONDS = 10;

/** "25" (a second) or "25:750" (and 750 at once). */
function toRate(place: Place | null): Settings["apiRate"] {
  if (place === null || place.value === "off") return null;
  const [, perSecond, burst = Number(perSecond) * BURST_SECONDS] = /^([1-9]\d{0,6})(?::([1-9]\d{0,7}))?$/.exec(place.value) ?? [];
  if (perSecond) return { perSecond: Number(perSecond), burst: Number(burst) };
  const message = `${place.from} must be requests a second, such as "25" or "25:750" with a burst, or "off", not "${place.value}".`;
  throw new CommandError("USAGE", message);
}

function toRunsAtOnce(place: Place | null): number | null {
  if (place === null || place.value === "off") return null;
  if (/^[1-9]\d{0,5}$/.test(place.value)) return Number(place.value);
  throw new CommandError("USAGE", `${place.from} must be a whole number of runs up to 999999, or "off", not "${place.value}".`);
}

function place(value: string | number | boolean | undefined, from: string): Place | null {
  return value === undefined || value === "" ? null : { value: String(value), from };
}

function toPort({ value, from }: Place): number {
  const port = Number(value);
  if (/^\d+$/.test(value) && port <= 65_535) return port;
  throw new CommandError("USAGE", `${from} must be a port number from 0 to 65535, not "${value}".`, "0 takes any free port.");
}

/** A flag that counts things. */
export function toCount(value: string, flag: string): number {
  const count = Number(value);
  if (/^\d+$/.test(value) && count >= 1) return count;
  throw new CommandError("USAGE", `${flag} takes a whole number from 1, not "${value}".`);
}
