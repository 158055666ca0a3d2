// Room: serve. Runs a server in this process for `dev` and `start`, and writes down where it is. Called by those two only.
// Promise: `{data-dir}/server.json` exists from the moment the server answers until it stops; another living server's is left alone.
import type { Context } from "../commands/context.ts";
import { explain } from "../output/exit-codes.ts";
import { readServerFile, removeServerFile, type ServerFile, writeServerFile } from "../settings/server-file.ts";
import { choosePort } from "./port.ts";
import type { LoadServer, RunningServer, ServerConfig } from "./server-entry.ts";

/** What `dev` and `start` differ in. */
export type ServerExtras = Pick<ServerConfig, "mode" | "encryptionKey" | "adminPassword" | "sampleSecrets" | "logLevel">;

export async function serve(context: Context, load: LoadServer, extras: ServerExtras): Promise<RunningServer> {
  const { settings, world } = context;
  const { startServer } = await load();
  const server = await listen(context, (port) => startServer({ ...configFor(context, extras), port }));
  const own = { url: server.url, pid: world.pid, key: server.keys.dev };
  await writeDown(context, own);
  return {
    ...server,
    async stop() {
      removeServerFile(settings.dataDir, own);
      await server.stop();
    },
  };
}

/** With DATABASE_URL several servers may share a data directory: the one that is named there stays so while it lives. */
async function writeDown({ world, settings, output }: Context, own: ServerFile): Promise<void> {
  const other = readServerFile(settings.dataDir);
  if (!other || other.url === own.url || !(await answers(world, other.url))) return writeServerFile(settings.dataDir, own);
  output.note(
    `${settings.dataDir} is also the data directory of the server at ${other.url} (pid ${other.pid}): commands go on talking to that one. To reach this one, name it with --url, or give it a --data-dir of its own.`,
  );
}

async function answers(world: Context["world"], url: string): Promise<boolean> {
  try {
    return (await world.fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

/** Between looking for a free port and listening on it somebody may take it; then, unless it was chosen, the next one will do. */
async function listen({ settings, output }: Context, start: (port: number) => Promise<RunningServer>): Promise<RunningServer> {
  const wish = { port: settings.port, chosen: settings.portChosen, host: settings.host };
  for (let attempt = 1; ; attempt++) {
    const { port, note } = await choosePort(wish, readServerFile(settings.dataDir));
    try {
      const server = await start(port);
      if (note) output.note(note);
      return server;
    } catch (error) {
      if (attempt === 5 || wish.chosen || !isTaken(error)) throw error;
    }
  }
}

function isTaken(error: unknown): boolean {
  const { code, message } = explain(error);
  return code === "CONFLICT" && message.startsWith("Port ");
}

function configFor({ world, settings, output }: Context, extras: ServerExtras): Omit<ServerConfig, "port"> {
  return {
    ...extras,
    host: settings.host,
    dataDir: settings.dataDir,
    databaseUrl: settings.databaseUrl ?? undefined,
    devSchedules: settings.devSchedules,
    publicUrl: settings.publicUrl ?? undefined,
    apiRate: settings.apiRate ?? undefined,
    runsAtOnce: settings.runsAtOnce ?? undefined,
    devApiKey: world.env.HOLDFAST_DEV_API_KEY || undefined,
    prodApiKey: world.env.HOLDFAST_PROD_API_KEY || undefined,
    json: output.json,
  };
}
