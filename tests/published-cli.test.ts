// The published CLI as v2 users have it, from the registry: `whoami`, `send-event`, and `dev`, which registers a running app on this machine without a tunnel.
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanUp, freshDirectory, ROOT, startProgram } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";

const run = promisify(execFile);
const LONG = { timeout: 120_000 };
const directory = freshDirectory();
const project = join(directory, "project");
const cli = join(directory, "node_modules/@trigger.dev/cli/dist/index.js");

let server: TestServer;
/** As the CLI knows it: only when both are called so does it go without a tunnel. */
let apiUrl = "";
let env: Record<string, string>;

beforeAll(async () => {
  mkdirSync(project, { recursive: true });
  mkdirSync(join(directory, "home"));
  writeFileSync(join(directory, "package.json"), JSON.stringify({ private: true }));
  const install = run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "@trigger.dev/cli@2.3.19"], {
    cwd: directory,
  });
  [server] = await Promise.all([TestServer.start(), install]);
  apiUrl = server.url.replace("127.0.0.1", "localhost");
  const manifest = { name: "project", private: true, "trigger.dev": { endpointId: "by-cli" } };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(project, ".env.local"), `TRIGGER_API_KEY=${DEV_KEY}\nTRIGGER_API_URL=${apiUrl}\n`);
  // Nothing of this machine's settings, and no news of how it is used.
  env = { HOME: join(directory, "home"), DO_NOT_TRACK: "1", CI: "1" };
}, 180_000);
afterAll(async () => {
  await server.stop();
  await cleanUp();
});

async function trigger(...args: string[]): Promise<string> {
  const program = startProgram([cli, ...args], { cwd: project, env });
  await program.exited;
  return program.output();
}

test("whoami tells the environment and the project", LONG, async () => {
  const told = await trigger("whoami", project);
  expect(told).toMatch(/environment: DEVELOPMENT/i);
  expect(told).toContain("by-cli");
  expect(told).toMatch(/slug: holdfast/);
  expect(told).not.toMatch(/name: undefined|title: undefined/);
});

test("dev registers the app it finds, and what send-event sends runs its job", LONG, async () => {
  const mounted = join(ROOT, "tests/published/mount-for-cli.ts");
  const app = startProgram(["--import", "tsx", mounted], { env: { ...server.appEnv, TRIGGER_API_URL: apiUrl } });
  const [, port = ""] = await app.says(/listening at (\d+)/);
  const dev = startProgram([cli, "dev", project, "-p", port, "-H", "localhost", "-e", ".env.local"], { env });
  await dev.says(/Refreshed/);
  await server.api.knowsJob("heard");
  expect(await trigger("send-event", project, "-n", "cli.said", "-p", '{"n":1}', "-i", "said-1")).toMatch(/said-1 sent/);
  const [heard] = await server.api.settled("heard", 1, { withinMs: 30_000 });
  expect((await server.api.run(heard?.id ?? "")).output).toEqual({ n: 1 });
  await dev.kill();
  await app.kill();
});
