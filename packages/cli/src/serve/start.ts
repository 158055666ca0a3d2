// Room: serve. `holdfast start`: the server for production. Promise: it refuses to run without a key for its secrets and a password for its dashboard.
import type { Context } from "../commands/context.ts";
import { CommandError } from "../output/exit-codes.ts";
import { serve } from "./serve.ts";
import type { LoadServer } from "./server-entry.ts";
import { stopOnSignals } from "./stopping.ts";

const HOW = {
  HOLDFAST_ENCRYPTION_KEY:
    "Make one with `openssl rand -base64 32`, keep it safe, and set it every time: stored secrets are lost without it.",
  HOLDFAST_ADMIN_PASSWORD: "Choose the password of the dashboard; `openssl rand -base64 18` makes a good one.",
} as const;

export async function start(context: Context, load: LoadServer): Promise<number> {
  const { world, output, settings } = context;
  const encryptionKey = demand(context, "HOLDFAST_ENCRYPTION_KEY");
  const adminPassword = demand(context, "HOLDFAST_ADMIN_PASSWORD");
  const stopping = stopOnSignals(world, output);
  try {
    const server = await serve(context, load, { mode: "start", encryptionKey, adminPassword });
    output.event({ type: "ready", url: server.url, pid: world.pid }, `Holdfast runs at ${server.url}`);
    output.note(
      `Data: ${settings.databaseUrl ? "DATABASE_URL" : settings.dataDir}. Stop it with Ctrl-C or SIGTERM; running executions end first.`,
    );
    const exit = await stopping.asked;
    await server.stop();
    return exit;
  } finally {
    stopping.end();
  }
}

/** Without the line break that ends a file it may come from: nobody could type that into a login. */
function demand({ world }: Context, name: keyof typeof HOW): string {
  const value = world.env[name]?.replace(/[\r\n]+$/, "");
  if (value) return value;
  throw new CommandError("USAGE", `holdfast start needs ${name}.`, HOW[name]);
}
