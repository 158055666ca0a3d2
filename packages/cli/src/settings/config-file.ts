// Room: settings. Reads `holdfast.config.{js,mjs,json,ts}` of the current directory. Called by program.ts before a command settles.
// Promise: a file that cannot be read, or holds a key we do not know, is refused with its name; no file is fine.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError } from "../output/exit-codes.ts";

/** The contents of `holdfast.config.*`. */
export interface HoldfastConfig {
  /** 0 takes any free port. Default 3040. */
  port?: number;
  /** Address to listen on. Default 127.0.0.1. */
  host?: string;
  /** Relative to the working directory. Default ".holdfast". */
  dataDir?: string;
  /** PostgreSQL 15 or newer; without it an own one runs in the data directory. */
  databaseUrl?: string;
  /** Whether schedules run in development environments: "on" (the default) or "off". */
  devSchedules?: "on" | "off";
  /** Where other services reach the server: "https://jobs.example.com". */
  publicUrl?: string;
  /** How often programs of one environment may call a server: "25" a second, "25:750" with a burst, or "off" (the default). */
  apiRateLimit?: string;
  /** How many runs of each environment execute at once. Default: any number. */
  runsAtOnce?: number;
  /** Files `holdfast dev` runs when the command line names none. */
  files?: string[];
}

export interface LoadedConfig {
  /** File name, for messages. */
  name: string;
  values: HoldfastConfig;
}

const KINDS = {
  port: "number",
  host: "string",
  dataDir: "string",
  databaseUrl: "string",
  devSchedules: "string",
  publicUrl: "string",
  apiRateLimit: "string",
  runsAtOnce: "number",
  files: "array of strings",
} as const;

export async function loadConfig(cwd: string): Promise<LoadedConfig> {
  const name = ["ts", "js", "mjs", "json"]
    .map((ending) => `holdfast.config.${ending}`)
    .find((each) => existsSync(join(cwd, each)));
  if (!name) return { name: "holdfast.config", values: {} };
  return { name, values: checked(await read(join(cwd, name)), name) };
}

async function read(path: string): Promise<unknown> {
  try {
    if (path.endsWith(".json")) return JSON.parse(await readFile(path, "utf8"));
    const url = pathToFileURL(path).href;
    const module = path.endsWith(".ts") ? await (await import("tsx/esm/api")).tsImport(url, import.meta.url) : await import(url);
    return unwrap(module);
  } catch (error) {
    throw new CommandError("USAGE", `${path} could not be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A CommonJS package gives the default export inside another default. */
function unwrap(module: { default?: unknown }): unknown {
  const inner = module.default;
  return inner !== null && typeof inner === "object" && "default" in inner ? inner.default : inner;
}

function checked(value: unknown, name: string): HoldfastConfig {
  if (value === null || typeof value !== "object") throw new CommandError("USAGE", `${name} must export an object.`);
  for (const [key, entry] of Object.entries(value)) {
    const kind = KINDS[key as keyof typeof KINDS];
    if (!kind)
      throw new CommandError("USAGE", `${name} has a key nobody reads: "${key}".`, `Keys: ${Object.keys(KINDS).join(", ")}.`);
    if (!fits(entry, kind)) throw new CommandError("USAGE", `"${key}" of ${name} must be: ${kind}.`);
  }
  return value;
}

function fits(entry: unknown, kind: (typeof KINDS)[keyof typeof KINDS]): boolean {
  if (entry === undefined) return true;
  return kind === "array of strings"
    ? Array.isArray(entry) && entry.every((each) => typeof each === "string")
    : typeof entry === kind;
}
