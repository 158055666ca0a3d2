// Room: commands. `holdfast send <event>`: an event by hand. Promise: it carries an id, so that a repeat of the same call starts nothing twice.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ServerFlags } from "../api/find-server.ts";
import { CommandError } from "../output/exit-codes.ts";
import { toCount } from "../settings/settings.ts";
import { apiOf, type Context } from "./context.ts";

export interface SendFlags extends ServerFlags {
  payload?: string;
  context?: string;
  id?: string;
  source?: string;
  deliverAfter?: string;
}

interface SentEvent {
  id: string;
  name: string;
}

export async function sendEvent(context: Context, name: string, flags: SendFlags): Promise<void> {
  const event = {
    id: flags.id ?? `cli-${Buffer.from(context.world.random(12)).toString("hex")}`,
    name,
    payload: await readJson(context, flags.payload ?? "{}", "--payload"),
    ...(flags.context ? { context: await readJson(context, flags.context, "--context") } : {}),
    ...(flags.source ? { source: flags.source } : {}),
  };
  const options = flags.deliverAfter ? { deliverAfter: toCount(flags.deliverAfter, "--deliver-after") } : {};
  const sent = await apiOf(context, flags).post<SentEvent>("/api/v1/events", { event, options });
  context.output.result(sent, `${sent.name}  ${sent.id}`);
}

/** JSON as it stands, `@file`, or `-` for stdin. */
async function readJson(context: Context, given: string, flag: string): Promise<unknown> {
  const text = await readGiven(context, given, flag);
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError("USAGE", `${flag} is not JSON: ${why}.`, `Give JSON, @file, or - for stdin: ${flag} '{"user":1}'.`);
  }
}

async function readGiven(context: Context, given: string, flag: string): Promise<string> {
  if (given === "-") return context.world.readStdin();
  if (!given.startsWith("@")) return given;
  const path = resolve(context.world.cwd, given.slice(1));
  return readFile(path, "utf8").catch(() => {
    throw new CommandError("USAGE", `${flag} names a file that cannot be read: ${path}.`);
  });
}
