// Room: dev. The program `holdfast dev` starts as a child to run the user's files: imports them, then connects every client they made
// that the program did not connect itself. Promise: on SIGTERM, or when the parent is gone, it takes its leave of the server and ends.
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { register as registerCommonJs } from "tsx/cjs/api";
import { register as registerModules } from "tsx/esm/api";
import type { RunnerMessage } from "./runner-messages.ts";

/** What the runner needs of a TriggerClient, whichever copy of the SDK made it. */
interface RegisteredClient {
  readonly id: string;
  /** True once the program itself connected the client. One that is only mounted over HTTP is connected too: so it needs no registration. */
  readonly connected?: boolean;
  connect?(): Connection;
}
interface Connection {
  ready: Promise<void>;
  close(): Promise<void>;
}

const LEAVE_WITHIN_MS = 5_000;
const connections: Connection[] = [];
let leaving = false;

function clients(): RegisteredClient[] {
  const registry = (globalThis as { [key: symbol]: unknown })[Symbol.for("holdfast.clients")];
  return registry instanceof Set ? [...registry] : [];
}

function tell(message: RunnerMessage): void {
  process.send?.(message);
}

function tellLoaded(path: string): void {
  if (path.includes("node_modules")) return;
  tell({ holdfast: "loaded", path, changedAt: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 });
}

/** True when the program connected the client, or it is connected now. */
async function connect(client: RegisteredClient): Promise<boolean> {
  if (client.connected || !client.connect) return true;
  try {
    const connection = client.connect();
    connections.push(connection);
    await connection.ready;
    return true;
  } catch (error) {
    tell({ holdfast: "refused", client: client.id, message: error instanceof Error ? error.message : String(error) });
    return false;
  }
}

/** A program that listens for the signal itself ends itself; in any case the process is gone after a while. */
async function leave(signal?: string): Promise<void> {
  if (leaving) return;
  leaving = true;
  setTimeout(() => process.exit(0), LEAVE_WITHIN_MS).unref();
  await Promise.allSettled(connections.map((connection) => connection.close()));
  if (signal !== "SIGTERM" || process.listenerCount("SIGTERM") === 1) process.exit(0);
  process.disconnect?.();
}

process.on("SIGTERM", leave);
process.on("disconnect", () => leave());
// A listener keeps the channel, and with it this process, alive while nothing is connected yet.
process.on("message", () => {});

registerCommonJs();
registerModules({ onImport: (url) => url.startsWith("file:") && tellLoaded(fileURLToPath(url)) });
try {
  for (const file of process.argv.slice(2)) await import(pathToFileURL(file).href);
} finally {
  // The loader says nothing of files that CommonJS modules require.
  Object.keys(createRequire(import.meta.url).cache).forEach(tellLoaded);
}
const all = clients();
// Another of the same id would take the first one's place at the server, and its jobs away, as a later deployment does.
const made = all.filter(({ id }, at) => all.findIndex((other) => other.id === id) === at);
for (const id of new Set(all.filter((client) => !made.includes(client)).map((client) => client.id))) {
  tell({ holdfast: "twice", client: id });
}
const connected = await Promise.all(made.map(connect));
if (made.length === 0) tell({ holdfast: "empty" });
else tell({ holdfast: "connected", clients: made.filter((_, at) => connected[at]).map((client) => client.id) });
