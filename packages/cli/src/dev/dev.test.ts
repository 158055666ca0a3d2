// `holdfast dev` with real child processes: files run, watched and reloaded; commands with their output and exit codes. The server is a fake.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { run } from "../program.ts";
import { type FakeServer, fakeServer } from "../testing/fake-server.ts";
import { type TestWorld, testWorld } from "../testing/test-world.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

interface Session {
  here: TestWorld;
  server: FakeServer;
  ended: Promise<number>;
  /** Lines the program of `app` below wrote, over all its lives. */
  log(): string[];
}

/** Files of the project, and the words behind `holdfast dev --port 0`. @param below the folder it is called in */
function start(files: Record<string, string>, words: string[], env: Record<string, string> = {}, below = "."): Session {
  const world = testWorld({ env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } });
  for (const [name, text] of Object.entries(files)) put(world, name, text);
  const here = { ...world, cwd: join(world.cwd, below) };
  const server = fakeServer();
  const ended = run(["dev", "--port", "0", ...words], here, server.load);
  undo.push(here.remove, async () => {
    here.raise("SIGTERM");
    await ended;
  });
  const log = () =>
    existsSync(join(here.cwd, "log")) ? readFileSync(join(here.cwd, "log"), "utf8").split("\n").filter(Boolean) : [];
  return { here, server, ended, log };
}
function put(here: TestWorld, name: string, text: string): void {
  mkdirSync(join(here.cwd, name, ".."), { recursive: true });
  writeFileSync(join(here.cwd, name), text);
}
const events = (here: TestWorld) =>
  here.printed.out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A program with a client as the SDK makes them; it writes down what happens to it. */
const app = (name: string, more = "") => `
import { appendFileSync } from "node:fs";
const say: (line: string) => void = (line) => appendFileSync("log", line + "\\n");
const clients: Set<object> = ((globalThis as any)[Symbol.for("holdfast.clients")] ??= new Set());
clients.add({
  id: "${name}",
  connected: false,
  connect() {
    say("connected ${name} " + process.pid);
    return { ready: Promise.resolve(), close: async () => say("closed ${name}") };
  },
});
${more}`;

test("runs TypeScript, connects its clients, and tells where everything is", async () => {
  const { here, server, ended, log } = start({ "src/app.ts": app("one") }, ["src/app.ts"]);
  await here.until(() => log().length === 1);
  await here.until(() => here.printed.out.includes("endpoint clerk.com"));
  expect(here.printed.out).toMatch(/server {5}http:\/\/127\.0\.0\.1:\d+\n {2}dashboard {2}http:\/\/127\.0\.0\.1:\d+\/\n/);
  expect(here.printed.out).toContain("http://h/in/clerk");
  expect(here.printed.out).toMatch(/job +hello/);
  expect(server.configs[0]).toMatchObject({ mode: "dev", host: "127.0.0.1" });
  here.raise("SIGTERM");
  expect(await ended).toBe(0);
  expect(log().at(-1), "it took its leave before it ended").toBe("closed one");
  expect(server.running()).toBe(0);
  expect(existsSync(join(here.cwd, ".holdfast", "server.json"))).toBe(false);
});

test("a change reloads it: the old program has left before the new one connects", async () => {
  const { here, log } = start({ "app.ts": app("old") }, ["app.ts"]);
  await here.until(() => log().length === 1);
  const pid = Number(log()[0]?.split(" ").at(-1));
  put(here, "app.ts", app("new"));
  await here.until(() => log().some((line) => line.startsWith("connected new")));
  expect(log().map((line) => line.replace(/ \d+$/, ""))).toEqual(["connected old", "closed old", "connected new"]);
  expect(isAlive(pid)).toBe(false);
});

test("what it imports counts, also outside its folder; what tools write does not", async () => {
  const main = app(
    "main",
    'import { value } from "../shared/value.ts";\nimport data from "../data.json" with { type: "json" };\nsay("value " + value + data.n);',
  );
  const files = { "src/app.ts": main, "shared/value.ts": "export const value = 1;", "data.json": '{"n":1}' };
  const { here, log } = start(files, ["src/app.ts"]);
  await here.until(() => log().some((line) => line.startsWith("connected")));
  put(here, "src/node_modules/x.ts", "1");
  put(here, "src/dist/x.js", "1");
  put(here, "src/notes.md", "1");
  put(here, "shared/value.ts", "export const value = 2;");
  await here.until(() => log().includes("value 21"));
  put(here, "data.json", '{"n":7}');
  await here.until(() => log().includes("value 27"));
  await here.until(() => log().filter((line) => line.startsWith("connected")).length === 3);
  expect(log().filter((line) => line.startsWith("value"))).toEqual(["value 11", "value 21", "value 27"]);
});

test("in a member of a workspace, what it imports from other members counts", async () => {
  const files = {
    "package.json": '{ "workspaces": ["apps/*", "packages/*"] }',
    "apps/api/app.ts": app("main", 'import { value } from "../../packages/core/value.ts";\nsay("value " + value);'),
    "packages/core/value.ts": "export const value = 1;",
  };
  const { here, log } = start(files, ["app.ts"], {}, "apps/api");
  await here.until(() => log().some((line) => line.startsWith("connected")));
  put(here, "../../packages/core/value.ts", "export const value = 2;");
  await here.until(() => log().includes("value 2"));
});

test("a crash shows the error and waits for the next change", async () => {
  const { here, log } = start({ "app.ts": 'throw new Error("no such luck")' }, ["app.ts"]);
  await here.until(() => here.printed.err.includes("ended with exit code 1. Waiting for a change."));
  put(here, "app.ts", app("mended"));
  await here.until(() => log().some((line) => line.startsWith("connected mended")));
});

test("a program that crashes once it is connected is started again: its runs wait for it", async () => {
  const dies = `if (log().length < 3) setTimeout(() => Promise.reject(new Error("late")), 20);`;
  const reading = `import { readFileSync } from "node:fs"; const log = () => readFileSync("log", "utf8").split("\\n");`;
  const { here, log } = start({ "app.ts": reading + app("one", `setTimeout(() => { ${dies} }, 20);`) }, ["app.ts"]);
  await here.until(() => log().length === 2);
  expect(here.printed.err).toContain("ended with exit code 1. Starting it again.");
  const pid = Number(log()[1]?.split(" ").at(-1));
  process.kill(pid, "SIGKILL");
  await here.until(() => log().length === 3);
  expect(here.printed.err).toContain("was ended by SIGKILL. Starting it again.");
});

test("a program that ends by itself is not started again", async () => {
  const { here, log } = start({ "app.ts": app("one", "setTimeout(() => process.exit(0), 300);") }, ["app.ts"]);
  await here.until(() => here.printed.err.includes("ended with exit code 0. Waiting for a change."));
  expect(log()).toHaveLength(1);
});

test("a program that will not leave is ended all the same", { timeout: 40_000 }, async () => {
  const { here, ended, log } = start(
    { "app.ts": app("stubborn", 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);') },
    ["app.ts"],
  );
  await here.until(() => log().length === 1);
  const pid = Number(log()[0]?.split(" ").at(-1));
  here.raise("SIGTERM");
  expect(await ended).toBe(0);
  expect(isAlive(pid)).toBe(false);
});

test("no client, and a refused one, are said; --json gives one object a line", async () => {
  const refused = app("x").replace("ready: Promise.resolve()", 'ready: Promise.reject(new Error("wrong key"))');
  const { here } = start({ "app.ts": "export {}" }, ["--json", "app.ts"]);
  await here.until(() => events(here).some((each) => each.code === "NO_APP"));
  put(here, "app.ts", refused);
  await here.until(() => events(here).some((each) => each.code === "REFUSED"));
  const types = events(here).map((each) => each.type);
  expect(types[0]).toBe("ready");
  expect(types).toContain("index");
  expect(events(here).find((each) => each.code === "REFUSED")).toMatchObject({ client: "x", message: "wrong key" });
});

test("two clients of one id: the first is connected, and the other's jobs are not lost without a word", async () => {
  const { here, log } = start({ "a.ts": app("one"), "b.ts": app("one"), "c.ts": app("two") }, ["--json", "a.ts", "b.ts", "c.ts"]);
  await here.until(() => events(here).some((each) => each.type === "app"));
  expect(events(here).find((each) => each.type === "app")).toMatchObject({ clients: ["one", "two"] });
  expect(events(here).filter((each) => each.code === "TWICE")).toEqual([{ type: "error", code: "TWICE", client: "one" }]);
  expect(log().filter((line) => line.startsWith("connected one"))).toHaveLength(1);
});

const PRINT = `const keep = (name) => name + "=" + (process.env[name] ?? "");
console.log(["HOLDFAST_API_URL", "HOLDFAST_API_KEY", "TRIGGER_API_URL", "TRIGGER_API_KEY", "CLERK_WEBHOOK_SIGNING_SECRET"].map(keep).join("\\n"));
console.error("to stderr");
process.exit(23);`;

test("a command behind -- gets addresses and secrets, prefixed output, and its exit code is ours", async () => {
  const { here, server, ended } = start({ "print.mjs": PRINT }, ["--", process.execPath, "print.mjs"]);
  expect(await ended).toBe(23);
  const url = server.configs[0] && /server {5}(\S+)/.exec(here.printed.out)?.[1];
  expect(here.printed.out).toContain(
    `[node] HOLDFAST_API_URL=${url}\n[node] HOLDFAST_API_KEY=tr_dev_fake\n[node] TRIGGER_API_URL=${url}\n[node] TRIGGER_API_KEY=tr_dev_fake\n`,
  );
  expect(here.printed.out).toContain(
    `[node] CLERK_WEBHOOK_SIGNING_SECRET=${server.configs[0]?.sampleSecrets?.CLERK_WEBHOOK_SIGNING_SECRET}`,
  );
  expect(here.printed.err).toContain("[node] to stderr\n");
  expect(server.running()).toBe(0);
});

test("a command is told whether apps are asked for at their URL", async () => {
  const files = { "print.mjs": 'console.log("<" + (process.env.HOLDFAST_DEV_APP_URLS ?? "") + ">");' };
  const command = ["--", process.execPath, "print.mjs"];
  const called = start(files, ["--app-url", "http://127.0.0.1:9", ...command]);
  await called.ended;
  expect(called.here.printed.out).toContain("[node] <http://127.0.0.1:9/api/trigger>");
  const alone = start(files, command, { HOLDFAST_DEV_APP_URLS: "of another one" });
  await alone.ended;
  expect(alone.here.printed.out).toContain("[node] <>");
});

test("a command that does not exist is an error, and nothing stays", async () => {
  const { here, server, ended } = start({}, ["--", "no-such-program-here"]);
  expect(await ended).toBe(1);
  expect(here.printed.err).toContain('"no-such-program-here" could not be started');
  expect(server.running()).toBe(0);
});

test("a command and its own children are ended with us", async () => {
  const family = `const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
    require("node:fs").writeFileSync("log", process.pid + "\\n" + child.pid + "\\n"); setInterval(() => {}, 1000);`;
  const { here, ended, log } = start({ "family.cjs": family }, ["--", process.execPath, "family.cjs"]);
  await here.until(() => log().length === 2);
  const pids = log().map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  here.raise("SIGINT");
  expect(await ended).toBe(130);
  await here.until(() => pids.every((pid) => !isAlive(pid)));
});

test("development secrets are made once, kept, private, and never replace one that is set", async () => {
  const first = start({ "print.mjs": PRINT }, ["--", process.execPath, "print.mjs"]);
  await first.ended;
  const kept = join(first.here.cwd, ".holdfast", "dev-secrets.json");
  expect(statSync(kept).mode & 0o777).toBe(0o600);
  const secret = JSON.parse(readFileSync(kept, "utf8")).CLERK_WEBHOOK_SIGNING_SECRET;
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
  const again = fakeServer();
  await run(["dev", "--port", "0", "--", process.execPath, "print.mjs"], first.here, again.load);
  expect(again.configs[0]?.sampleSecrets).toEqual({ CLERK_WEBHOOK_SIGNING_SECRET: secret });

  const set = start({ "print.mjs": PRINT }, ["--", process.execPath, "print.mjs"], {
    CLERK_WEBHOOK_SIGNING_SECRET: "whsec_mine",
  });
  await set.ended;
  expect(set.here.printed.out).toContain("SECRET=whsec_mine\n");
  expect(set.server.configs[0]?.sampleSecrets).toEqual({ CLERK_WEBHOOK_SIGNING_SECRET: "whsec_mine" });
  expect(existsSync(join(set.here.cwd, ".holdfast", "dev-secrets.json"))).toBe(false);
});

test(".env of the project counts as set, and reaches the files we run", async () => {
  const files = {
    ".env": "CLERK_WEBHOOK_SIGNING_SECRET=whsec_dotenv\n",
    "app.ts": app("x", 'say("secret " + process.env.CLERK_WEBHOOK_SIGNING_SECRET);'),
  };
  const { here, server, log } = start(files, ["app.ts"]);
  await here.until(() => log().some((line) => line.startsWith("secret")));
  expect(log()).toContain("secret whsec_dotenv");
  expect(server.configs[0]?.sampleSecrets).toEqual({ CLERK_WEBHOOK_SIGNING_SECRET: "whsec_dotenv" });
});

test("files of the config run when none are named", async () => {
  const { here, log } = start({ "holdfast.config.json": '{"files":["jobs.ts"]}', "jobs.ts": app("configured") }, []);
  await here.until(() => log().some((line) => line.startsWith("connected configured")));
  rmSync(join(here.cwd, "log"));
});
