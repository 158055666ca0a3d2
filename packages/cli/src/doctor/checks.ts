// Room: doctor. One function a check; each answers with what it saw. Called by doctor.ts, in its order.
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppInfo } from "@holdfast/protocol";
import { createApi } from "../api/api.ts";
import { findServer, type ServerFlags } from "../api/find-server.ts";
import type { Context } from "../commands/context.ts";
import { isFree } from "../serve/port.ts";
import { portHolder } from "../serve/port-holder.ts";
import type { LoadServer } from "../serve/server-entry.ts";
import { readServerFile } from "../settings/server-file.ts";
import type { CheckResult } from "./doctor.ts";

export interface Probe {
  context: Context;
  flags: ServerFlags;
  load: LoadServer;
  /** Set by serverCheck when a server answers. */
  server: { url: string } | null;
}
type Finding = Omit<CheckResult, "name">;

const LEAST_NODE = [20, 19] as const;
const LEAST_FREE_BYTES = 1024 ** 3;

const ok = (detail: string): Finding => ({ state: "ok", detail });
const failed = (detail: string, hint?: string): Finding => ({ state: "failed", detail, ...(hint ? { hint } : {}) });
const skipped = (detail: string): Finding => ({ state: "skipped", detail });

export async function nodeCheck({ context: { world } }: Probe): Promise<Finding> {
  const [major = 0, minor = 0] = world.nodeVersion.split(".").map(Number);
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return enough
    ? ok(world.nodeVersion)
    : failed(`${world.nodeVersion} is too old.`, `Install Node ${LEAST_NODE.join(".")} or newer.`);
}

export async function dataDirCheck({ context: { settings, world }, load }: Probe): Promise<Finding> {
  const file = join(settings.dataDir, `.doctor-${world.pid}`);
  (await load()).openDataDir(settings.dataDir);
  try {
    writeFileSync(file, "");
    rmSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failed(`${settings.dataDir} cannot be written: ${why}`, "Choose another with --data-dir.");
  }
  const { bavail, bsize } = statfsSync(settings.dataDir);
  const free = `${((bavail * bsize) / 1024 ** 3).toFixed(1)} GiB free`;
  if (bavail * bsize >= LEAST_FREE_BYTES) return ok(`${settings.dataDir}, ${free}`);
  return failed(`${settings.dataDir} has only ${free}.`, "Make room: the database stops taking requests when the disk is full.");
}

export async function serverCheck(probe: Probe): Promise<Finding> {
  const { context, flags } = probe;
  const named = flags.url || context.world.env.HOLDFAST_API_URL;
  if (!named && !readServerFile(context.settings.dataDir)) return skipped("none runs here");
  const { url } = findServer(context.world, flags, context.settings.dataDir);
  const answer = await readiness(context, url);
  if (answer === null && !named)
    return failed(`server.json names ${url}, but nothing answers there.`, "It was killed; start it again.");
  if (answer === null) return failed(`Nothing answers at ${url}.`, "Start it, or correct --url or HOLDFAST_API_URL.");
  probe.server = { url };
  return answer.ok ? ok(`${url} is ready`) : failed(`${url} answers, but is not ready (${answer.status}).`, "Its log says why.");
}

async function readiness({ world }: Context, url: string): Promise<Response | null> {
  try {
    return await world.fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
  } catch {
    return null;
  }
}

export async function portCheck({ context: { settings }, server }: Probe): Promise<Finding> {
  const { port, host } = settings;
  if (server && new URL(server.url).port === String(port)) return ok(`${port} is held by our own server`);
  if (port === 0 || (await isFree(port, host))) return ok(port === 0 ? "any free one" : `${port} is free`);
  const holder = portHolder(port);
  const taken = `${port} is taken${holder ? ` by ${holder.name} with pid ${holder.pid}` : ""}`;
  return settings.portChosen ? failed(`${taken}.`, "Choose another with --port.") : ok(`${taken}; the next free one will do`);
}

/** A running server holds the embedded database; it answered whether the database is well. */
export async function databaseCheck({ context: { settings }, load, server }: Probe): Promise<Finding> {
  if (server && !settings.databaseUrl) return skipped(`in use by the server at ${server.url}`);
  const { inspectDatabase } = await load();
  const { version, embedded, fsync, synchronousCommit } = await inspectDatabase({
    dataDir: settings.dataDir,
    databaseUrl: settings.databaseUrl ?? undefined,
  });
  const name = `PostgreSQL ${version}${embedded ? ", embedded" : ""}`;
  if (fsync !== "on") return failed(`${name} runs with fsync ${fsync}: a power cut can lose everything.`, "Set fsync = on.");
  if (synchronousCommit === "off") {
    return failed(
      `${name} runs with synchronous_commit off: a crash loses acknowledged requests.`,
      "Set synchronous_commit = on.",
    );
  }
  return ok(`${name}, fsync ${fsync}, synchronous_commit ${synchronousCommit}`);
}

export async function appsCheck({ context, flags, server }: Probe): Promise<Finding> {
  if (!server) return skipped("no server to ask");
  const api = createApi(context.world, findServer(context.world, flags, context.settings.dataDir));
  const apps = await api.get<AppInfo[]>(api.inEnvironment("apps"));
  const lost = apps.filter((app) => !app.reachable);
  if (apps.length === 0) return skipped("none has connected yet");
  if (lost.length === 0) return ok(apps.map((app) => app.slug).join(", "));
  const reasons = lost.map((app) => `${app.slug}${app.lastError ? ` (${app.lastError})` : ""}`).join(", ");
  return failed(`Not reachable: ${reasons}.`, "Start the app, or check the address it registered with.");
}
