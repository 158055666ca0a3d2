// Room: dev. `holdfast dev [files…] [-- command…]`: server, database and dashboard in this process, the user's program in a child.
// Promise: one process tree; whatever way it ends, the program takes its leave first, then the server drains, and nothing is left running.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createApi } from "../api/api.ts";
import { toAppUrl } from "../api/app-id.ts";
import type { Context } from "../commands/context.ts";
import { CommandError } from "../output/exit-codes.ts";
import { serve } from "../serve/serve.ts";
import type { LoadServer, RunningServer } from "../serve/server-entry.ts";
import { type Stopping, stopOnSignals } from "../serve/stopping.ts";
import { readEnvFiles } from "../settings/env-files.ts";
import { createAnnouncer } from "./announce.ts";
import { registerApps } from "./app-urls.ts";
import { startCommand } from "./command-process.ts";
import { type DevSecrets, devSecrets } from "./dev-secrets.ts";
import { follow } from "./follow.ts";
import { runFiles } from "./run-files.ts";

export interface DevWish {
  files: string[];
  /** The user's own dev command; empty without one. */
  command: string[];
  /** Where apps listen that are called by HTTP and do not register themselves. */
  appUrls: string[];
}

export async function dev(context: Context, load: LoadServer, wish: DevWish): Promise<number> {
  const { world, settings, output } = context;
  const files = existing(context, wish.files.length || wish.command.length ? wish.files : settings.files);
  const appUrls = wish.appUrls.map(toAppUrl);
  demandLoopback(settings.host);
  const fileEnv = readEnvFiles(world.cwd);
  (await load()).openDataDir(settings.dataDir);
  const secrets = devSecrets(world, { ...fileEnv, ...world.env }, settings.dataDir);
  const stopping = stopOnSignals(world, output);
  try {
    const server = await serve(context, load, { mode: "dev", sampleSecrets: secrets.all, logLevel: "warn" });
    return await live({ context, server, stopping, secrets, fileEnv, files, command: wish.command, appUrls }).finally(
      server.stop,
    );
  } finally {
    stopping.end();
  }
}

interface Session {
  context: Context;
  server: RunningServer;
  stopping: Stopping;
  secrets: DevSecrets;
  /** Values of the project's `.env` files. */
  fileEnv: Record<string, string>;
  files: string[];
  command: string[];
  appUrls: string[];
}

/** Tells apps on our SDK to dial out by themselves. Files we run ourselves are connected by their runner. */
const DIAL_OUT = "HOLDFAST_DEV_CONNECT";
/** Tells apps that cannot dial that they are asked for at their URL. */
const CALLED = "HOLDFAST_DEV_APP_URLS";

async function live(session: Session): Promise<number> {
  const { context, server, stopping, files, command, appUrls } = session;
  banner(session);
  const api = createApi(context.world, { url: server.url, token: server.keys.dev, environment: "dev" });
  const announcer = createAnnouncer(api, context.output);
  const following = follow(context, api, announcer, stopping.signal);
  const registering = registerApps(context, { urls: appUrls, api, announcer, signal: stopping.signal });
  const env = childEnv(session);
  const ours = files.length
    ? runFiles(context, { files, env: { ...session.fileEnv, ...env, [DIAL_OUT]: undefined }, announcer })
    : null;
  const [program, ...rest] = command;
  const marks = { [DIAL_OUT]: "1", [CALLED]: appUrls.length ? appUrls.join(" ") : undefined };
  const theirs = program ? startCommand(context.world, context.output, [program, ...rest], { ...env, ...marks }) : null;
  try {
    return await Promise.race([stopping.asked, ...(theirs ? [theirs.ended] : [])]);
  } finally {
    stopping.ask(0);
    await Promise.allSettled([ours?.stop(), theirs?.stop(), following, registering]);
  }
}

/** The environment of the user's program: where the server is, in the words of both SDKs, and the secrets we made. */
function childEnv({ context: { world }, server, secrets }: Session): Record<string, string | undefined> {
  const colour = world.terminal ? { FORCE_COLOR: world.env.FORCE_COLOR ?? "1" } : {};
  const addresses = {
    HOLDFAST_API_URL: server.url,
    HOLDFAST_API_KEY: server.keys.dev,
    TRIGGER_API_URL: server.url,
    TRIGGER_API_KEY: server.keys.dev,
  };
  return { ...world.env, ...colour, ...secrets.made, ...addresses };
}

function banner({ context: { world, output, settings }, server, files, command, appUrls, secrets }: Session): void {
  const url = output.paint("cyan", server.url);
  const made = Object.keys(secrets.made);
  const lines = [
    "",
    `  ${output.paint("bold", "holdfast dev")}  data ${settings.databaseUrl ? "DATABASE_URL" : settings.dataDir}  node ${world.nodeVersion}`,
    "",
    `  server     ${url}`,
    `  dashboard  ${output.paint("cyan", `${server.url}/`)}`,
  ];
  output.event(
    { type: "ready", url: server.url, dashboard: `${server.url}/`, pid: world.pid, madeSecrets: made },
    lines.join("\n"),
  );
  if (made.length) output.note(`  secrets    ${made.join(", ")} made for development and given to your program`);
  if (files.length + command.length + appUrls.length === 0) {
    output.note(
      "  No program was named: start your own with HOLDFAST_API_URL and HOLDFAST_API_KEY set, or run `holdfast dev <file>`.",
    );
  }
}

function existing({ world }: Context, files: string[]): string[] {
  return files.map((file) => {
    const path = resolve(world.cwd, file);
    if (existsSync(path)) return path;
    const hint = "To run a command instead, put -- before it: `holdfast dev -- npm run dev`.";
    throw new CommandError("USAGE", `There is no file ${path}.`, hint);
  });
}

/** `dev` asks nobody for a password, so only this machine may reach it. */
function demandLoopback(host: string): void {
  if (/^(localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host)) return;
  const hint = "Use `holdfast start` to serve other machines.";
  throw new CommandError("USAGE", `holdfast dev listens on this machine only, not on ${host}: it asks for no password.`, hint);
}
