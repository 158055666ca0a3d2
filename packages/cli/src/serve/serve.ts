// Room: serve. Runs a server in this process for `dev` and `start`, and writes down where it is. Called by those two only.
// Promise: `{data-dir}/server.json` exists from the moment the server answers until it stops.
import type { Context } from "../commands/context.ts";
import { explain } from "../output/exit-codes.ts";
import { readServerFile, removeServerFile, writeServerFile } from "../settings/server-file.ts";
import { choosePort } from "./port.ts";
import type { LoadServer, RunningServer, ServerConfig } from "./server-entry.ts";

/** What `dev` and `start` differ in. */
export type ServerExtras = Pick<ServerConfig, "mode" | "encryptionKey" | "adminPassword" | "sampleSecrets" | "logLevel">;

export async function serve(context: Context, load: LoadServer, extras: ServerExtras): Promise<RunningServer> {
  const { settings, world } = context;
  const { startServer } = await load();
  const server = await listen(context, (port) => startServer({ ...configFor(context, extras), port }));
  writeServerFile(settings.dataDir, { url: server.url, pid: world.pid, key: server.keys.dev });
  return {
    ...server,
    async stop() {
      removeServerFile(settings.dataDir, world.pid);
      await server.stop();
    },
  };
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
    devApiKey: world.env.HOLDFAST_DEV_API_KEY || undefined,
    prodApiKey: world.env.HOLDFAST_PROD_API_KEY || undefined,
    json: output.json,
  };
}
