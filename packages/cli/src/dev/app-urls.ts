// Room: dev. `holdfast dev --app-url <url>`: apps that are called by HTTP, such as those on the published v2 SDK. Called by dev.ts.
// Promise: an app is registered as soon as it answers, again when it was started anew or a source file changed, for as long as `dev` runs; meanwhile
// it says every five seconds what it waits for.
import { connect } from "node:net";
import { join } from "node:path";
import type { Api } from "../api/api.ts";
import { askAppId } from "../api/app-id.ts";
import type { Context } from "../commands/context.ts";
import { explain } from "../output/exit-codes.ts";
import { pause } from "../platform/world.ts";
import type { Announcer } from "./announce.ts";
import { watchProgram } from "./watch.ts";

const ASK_EVERY_MS = 500;
const SAY_EVERY_MS = 5_000;
/** An app that went away is given this long to come back, and a proxy that hangs up at once is not asked in a circle. */
const SETTLE_MS = 1_000;

export interface AppsToRegister {
  urls: string[];
  api: Api;
  announcer: Announcer;
  signal: AbortSignal;
}

export async function registerApps(context: Context, apps: AppsToRegister): Promise<void> {
  if (apps.urls.length === 0) return;
  const nudges = new Set<() => void>();
  const { cwd } = context.world;
  const watcher = watchProgram(context.world, {
    files: [join(cwd, "package.json")],
    root: cwd,
    onChange: () => {
      for (const nudge of nudges) nudge();
    },
  });
  await Promise.all(apps.urls.map((url) => keepRegistered(context, apps, { url, nudges })));
  await watcher.close();
}

async function keepRegistered(
  context: Context,
  apps: AppsToRegister,
  { url, nudges }: { url: string; nudges: Set<() => void> },
): Promise<void> {
  while (!apps.signal.aborted) {
    await untilRegistered(context, apps, url);
    const news = new AbortController();
    const nudge = () => news.abort();
    nudges.add(nudge);
    await untilRestarted(context, new URL(url), AbortSignal.any([apps.signal, news.signal]));
    nudges.delete(nudge);
    await pause(context.world, SETTLE_MS, apps.signal);
  }
}

async function untilRegistered({ world, output }: Context, apps: AppsToRegister, url: string): Promise<void> {
  let saidAt = world.now();
  while (!apps.signal.aborted) {
    const why = await register(world, apps, url);
    if (why === null) {
      output.event({ type: "registered", url }, "");
      await apps.announcer.look().catch(() => {});
      return;
    }
    if (world.now() - saidAt >= SAY_EVERY_MS && !apps.signal.aborted) {
      saidAt = world.now();
      output.note(`  Waiting for the app at ${url}: ${why}`);
    }
    await pause(world, ASK_EVERY_MS, apps.signal);
  }
}

/** Null once it is registered, else what is missing. */
async function register(world: Context["world"], { api, signal }: AppsToRegister, url: string): Promise<string | null> {
  const key = api.address.token ?? "";
  try {
    const answer = await askAppId(world, { url, key, signal });
    if (!answer.ok) return answer.why;
    await api.post("/api/v1/endpoints", { id: answer.id, url });
    return null;
  } catch (error) {
    return explain(error).message;
  }
}

/** Resolves when the app's process ends. A connection held open tells at once, and leaves no line in the app's log as a request would. */
async function untilRestarted({ world }: Context, url: URL, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if ((await heldOpen(url, signal)) === "gone") return;
    await pause(world, SETTLE_MS, signal);
  }
}

/** "idle" when the server hung up on a connection that said nothing, as servers do after a while: they answer it 408 first. */
function heldOpen(url: URL, signal: AbortSignal): Promise<"idle" | "gone"> {
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port });
  const hangUp = () => socket.destroy();
  signal.addEventListener("abort", hangUp);
  let spoke = false;
  socket.on("data", () => {
    spoke = true;
  });
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.once("close", () => {
      signal.removeEventListener("abort", hangUp);
      resolve(spoke ? "idle" : "gone");
    });
  });
}
