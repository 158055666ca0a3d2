// Room: commands. What every command gets: the world, its output, its settings, and a client of the server when it needs one.
// Built by program.ts for each call.
import { type Api, createApi } from "../api/api.ts";
import { findServer, type ServerFlags } from "../api/find-server.ts";
import { createOutput, type Output } from "../output/output.ts";
import type { CliWorld } from "../platform/world.ts";
import { loadConfig } from "../settings/config-file.ts";
import { type Flags, type Settings, settle } from "../settings/settings.ts";

export interface Context {
  world: CliWorld;
  output: Output;
  settings: Settings;
}

export async function createContext(world: CliWorld, flags: Flags): Promise<Context> {
  const settings = settle(world, flags, await loadConfig(world.cwd));
  return { world, settings, output: createOutput(world, flags.json === true) };
}

export function apiOf({ world, settings }: Context, flags: ServerFlags): Api {
  return createApi(world, findServer(world, flags, settings.dataDir));
}
