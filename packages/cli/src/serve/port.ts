// Room: serve. Finds a port to listen on. Called before a server starts, and by `doctor`.
// Promise: a port the person chose is used or refused by name; our default gives way to the next free one.
import { createServer } from "node:net";
import { CommandError } from "../output/exit-codes.ts";
import type { ServerFile } from "../settings/server-file.ts";
import { portHolder } from "./port-holder.ts";

const TRIES = 50;

export interface PortWish {
  port: number;
  chosen: boolean;
  host: string;
}

/** A port that is free now; `note` says why it is not the one wished for. */
export async function choosePort(wish: PortWish, running: ServerFile | null): Promise<{ port: number; note: string | null }> {
  if (wish.port === 0 || (await isFree(wish.port, wish.host))) return { port: wish.port, note: null };
  const taken = `Port ${wish.port} is taken${whose(wish.port, running)}`;
  if (wish.chosen) throw new CommandError("PORT_TAKEN", `${taken}.`, "Choose another with --port, or --port 0 for any free one.");
  for (let port = wish.port + 1; port <= wish.port + TRIES; port++) {
    if (await isFree(port, wish.host)) return { port, note: `${taken}; using ${port}.` };
  }
  throw new CommandError("PORT_TAKEN", `Ports ${wish.port} to ${wish.port + TRIES} are all taken.`, "Choose one with --port.");
}

function whose(port: number, running: ServerFile | null): string {
  if (running && new URL(running.url).port === String(port)) return ` by the Holdfast server with pid ${running.pid}`;
  const holder = portHolder(port);
  return holder ? ` by ${holder.name} with pid ${holder.pid}` : "";
}

/** True when a server could listen there. An address that is not ours is an error, not a taken port. */
export function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(cannotListen(error, port, host));
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

function cannotListen(error: NodeJS.ErrnoException, port: number, host: string): CommandError {
  const hint = error.code === "EACCES" ? "Ports below 1024 need a privileged user; choose a higher one." : "Check --host.";
  return new CommandError("FAILED", `Nothing can listen on ${host}:${port} (${error.code ?? error.message}).`, hint);
}
