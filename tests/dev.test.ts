// Apps find their server in dev: an app that is mounted by HTTP through our SDK needs no registration and no URL under `holdfast dev`, and one on the
// published v2 SDK is registered by `--app-url`, whenever it starts and starts again. Everything is real: CLI, server, PostgreSQL, Express.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppInfo } from "@holdfast/protocol";
import { afterAll, expect, test } from "vitest";
import { type Dev, freshProject, removeProjects, startDev } from "./harness/dev.ts";
import { freePort } from "./harness/free-port.ts";
import { cleanUp } from "./harness/processes.ts";
import { until } from "./harness/until.ts";

afterAll(async () => {
  await cleanUp();
  removeProjects();
});

const appsOf = (dev: Dev): Promise<AppInfo[]> => dev.api.get(dev.api.at("/apps"));

/** Mounted over HTTP, and nothing more: it writes down every request it gets. */
const MOUNTED = `
import { appendFileSync } from "node:fs";
import { TriggerClient, eventTrigger } from "@holdfast/sdk";
import { createMiddleware } from "@holdfast/sdk/express";
import express from "express";

const client = new TriggerClient({ id: "mounted" });
client.defineJob({
  id: "hello", name: "Hello", version: "1.0.0", trigger: eventTrigger({ name: "hello" }),
  run: async (payload, io) => io.runTask("greet", async () => "Hello, " + payload.name),
});
const app = express();
app.use((request, response, next) => { appendFileSync("requests", request.method + " " + request.url + "\\n"); next(); });
app.use(createMiddleware(client));
app.listen(0, "127.0.0.1", () => console.log("listening"));
`;

test.each([
  ["as the command's child", ["--", "node", "app.mjs"]],
  ["as a file", ["app.mjs"]],
])("an app mounted by HTTP through our SDK is reached without registration, %s", async (_how, words) => {
  const project = freshProject({ "app.mjs": MOUNTED });
  const dev = await startDev(project, words);
  await dev.program.says(/app +mounted +connected/);
  expect(await appsOf(dev)).toMatchObject([{ slug: "mounted", transport: "connect", url: null, reachable: true, jobs: 1 }]);
  const run = await dev.api.runOnce("hello", { name: "hello", payload: { name: "Ada" } });
  expect(run).toMatchObject({ status: "SUCCESS", output: "Hello, Ada" });
  expect(existsSync(join(project, "requests")), "nobody called it over HTTP").toBe(false);
  expect(await dev.program.stop()).toEqual({ code: 0, signal: null });
});

test("an app dials out from a bundle in which the native frames of ws are an empty stub, as in Next.js's", async () => {
  const project = freshProject({ "app.mjs": MOUNTED });
  mkdirSync(join(project, "stubs/bufferutil"), { recursive: true });
  writeFileSync(join(project, "stubs/bufferutil/index.js"), "");
  const dev = await startDev(project, ["--", "env", `NODE_PATH=${join(project, "stubs")}`, "node", "app.mjs"]);
  await dev.program.says(/app +mounted +connected/);
  const run = await dev.api.runOnce("hello", { name: "hello", payload: { name: "Ada".repeat(100) } });
  expect(run).toMatchObject({ status: "SUCCESS", output: `Hello, ${"Ada".repeat(100)}` });
  await dev.program.stop();
});

/** On the published SDK, which only listens; the port is given, as a person's app has its own. The file `more` adds a job. */
const PUBLISHED = `
import { existsSync, writeFileSync } from "node:fs";
import { TriggerClient, eventTrigger } from "@trigger.dev/sdk";
import { createMiddleware } from "@trigger.dev/express";
import express from "express";

const client = new TriggerClient({ id: "v2-app" });
const job = (id) => client.defineJob({
  id, name: id, version: "1.0.0", trigger: eventTrigger({ name: id }),
  run: async (payload, io) => io.runTask("greet", async () => id + " " + payload.name),
});
job("hello");
if (existsSync("more")) job("more");
process.on("SIGUSR2", () => job("reloaded"));
const app = express();
app.use(createMiddleware(client));
app.listen(process.env.PORT, "127.0.0.1", () => writeFileSync("pid", String(process.pid)));
`;

/** Starts the app once the file \`go\` is there, and again whenever it ends, as watching dev servers do. */
const WATCHER = `
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
const waiting = setInterval(() => {
  if (!existsSync("go")) return;
  clearInterval(waiting);
  run();
}, 50);
const run = () => spawn(process.execPath, ["app.mjs"], { stdio: "inherit" }).on("exit", run);
`;

test("an app on the published SDK is registered by --app-url once it answers, and again when it was started anew or a file changed", async () => {
  const project = freshProject({ "app.mjs": PUBLISHED, "watcher.mjs": WATCHER }, "tests/published");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/api/trigger`;
  const dev = await startDev(project, ["--app-url", `http://127.0.0.1:${port}`, "--", "node", "watcher.mjs"], {
    PORT: String(port),
  });
  await dev.program.says(new RegExp(`Waiting for the app at ${url}: nothing answers there \\(ECONNREFUSED\\)`));

  writeFileSync(join(project, "go"), "");
  await dev.program.says(/app +v2-app +connected/);
  expect(await appsOf(dev)).toMatchObject([{ slug: "v2-app", transport: "push", url, sdk: "2.3.19", reachable: true, jobs: 1 }]);
  expect(await dev.api.runOnce("hello", { name: "hello", payload: { name: "Ada" } })).toMatchObject({ output: "hello Ada" });

  writeFileSync(join(project, "more"), "");
  const pid = Number(readFileSync(join(project, "pid"), "utf8"));
  process.kill(pid, "SIGKILL");
  await dev.api.knowsJob("more");
  expect(await dev.api.runOnce("more", { name: "more", payload: { name: "Bob" } })).toMatchObject({ output: "more Bob" });

  // As a framework does that loads a changed module into the running process.
  process.kill(Number(readFileSync(join(project, "pid"), "utf8")), "SIGUSR2");
  writeFileSync(join(project, "changed.ts"), "");
  await dev.api.knowsJob("reloaded");
  expect(await dev.program.stop()).toEqual({ code: 0, signal: null });
  await until(() => !isAlive(Number(readFileSync(join(project, "pid"), "utf8"))), { what: () => "the app's end" });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
