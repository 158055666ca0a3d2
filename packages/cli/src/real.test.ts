// The CLI as installed, with the real server and SDK: a run survives a reload and a kill -9 of everything `dev` started; every command answers.
// Uses the build (`npm test` makes it first).
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BIN = join(ROOT, "packages/cli/bin/holdfast.js");
let project = "";
let running: { child: ChildProcess; ended: Promise<number | null>; output(): string };

/** Below the repository, so that the app finds the SDK. */
beforeAll(() => {
  mkdirSync(join(ROOT, "tests/.work"), { recursive: true });
  project = mkdtempSync(join(ROOT, "tests/.work/cli-"));
});
afterAll(async () => {
  running?.child.kill("SIGTERM");
  await running?.ended;
  rmSync(project, { recursive: true, force: true });
});

function cli(words: string[]) {
  const child = spawn(process.execPath, [BIN, ...words], { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
  const text = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (piece) => {
    text.out += piece;
  });
  child.stderr.setEncoding("utf8").on("data", (piece) => {
    text.err += piece;
  });
  const ended = new Promise<number | null>((done) => child.once("close", (code) => done(code)));
  return { child, ended, text, output: () => text.out + text.err };
}
async function ask(...words: string[]) {
  const { ended, text } = cli([...words, "--json"]);
  const exit = await ended;
  return { exit, value: text.out ? JSON.parse(text.out) : null, err: text.err };
}
async function until<T>(look: () => Promise<T> | T): Promise<NonNullable<T>> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`Not in time: ${look}\n${running?.output()}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}

const program = (words: string) => `
import { appendFileSync } from "node:fs";
import { TriggerClient, eventTrigger } from "@holdfast/sdk";
appendFileSync("loads", process.pid + "\\n");
const client = new TriggerClient({ id: "real-test" });
client.defineJob({
  id: "slow", name: "Slow", version: "1.0.0", trigger: eventTrigger({ name: "go" }),
  run: async (payload, io) => {
    const first = await io.runTask("first", async () => "made by ${words}");
    await io.wait("pause", payload.seconds);
    return { first, last: "${words}" };
  },
});`;
const loads = () => (existsSync(join(project, "loads")) ? readFileSync(join(project, "loads"), "utf8").trim().split("\n") : []);

async function startDev() {
  const before = loads().length;
  running = cli(["dev", "app.ts", "--port", "0"]);
  await until(() => loads().length > before && running.output().includes("job      slow"));
}
async function sendAndWait(seconds: number): Promise<string> {
  const known = (await ask("runs", "list")).value.length;
  expect((await ask("send", "go", "--payload", JSON.stringify({ seconds }))).exit).toBe(0);
  return until(async () => {
    const runs = (await ask("runs", "list", "--job", "slow")).value;
    return runs.length > known && runs[0].status === "WAITING_TO_CONTINUE" && runs[0].id;
  });
}
async function finished(id: string) {
  return until(async () => {
    const { value } = await ask("runs", "get", id);
    return value.status === "SUCCESS" && value;
  });
}

test("a waiting run survives a reload, and goes on in the new code", { timeout: 120_000 }, async () => {
  writeFileSync(join(project, "app.ts"), program("the old code"));
  await startDev();
  const id = await sendAndWait(4);
  const before = loads().length;
  writeFileSync(join(project, "app.ts"), program("the new code"));
  await until(() => loads().length > before);
  const run = await finished(id);
  expect(run.output).toEqual({ first: "made by the old code", last: "the new code" });
  expect(run.tasks.map((task: { status: string }) => task.status)).toEqual(["COMPLETED", "COMPLETED"]);
});

test("the app goes when dev is killed, and its runs go on at the next start", { timeout: 120_000 }, async () => {
  const id = await sendAndWait(3);
  const app = Number(loads().at(-1));
  running.child.kill("SIGKILL");
  await running.ended;
  await until(() => !isAlive(app));
  expect((await ask("runs", "list")).exit, "server.json names a server that is gone").toBe(5);
  await startDev();
  expect((await finished(id)).output).toMatchObject({ first: "made by the new code" });
});

test("every command answers as promised", { timeout: 120_000 }, async () => {
  expect((await ask("endpoints", "list")).value).toEqual([]);
  expect((await ask("deliveries", "list")).value).toEqual([]);
  expect(await ask("endpoints", "url", "nope")).toMatchObject({ exit: 3, value: null });
  expect(await ask("runs", "get", "run_nope")).toMatchObject({ exit: 3, value: null });
  expect(await ask("runs", "list", "--token", "tr_dev_notthisone0000000000")).toMatchObject({ exit: 4, value: null });
  expect(await ask("doctor")).toMatchObject({ exit: 0, value: { ok: true } });
  const second = await ask("dev", "--port", "0");
  expect(second, "one server a data directory").toMatchObject({ exit: 1, err: expect.stringContaining("already in use") });
});

test("SIGTERM drains, ends with 0, and leaves nothing", { timeout: 60_000 }, async () => {
  const app = Number(loads().at(-1));
  running.child.kill("SIGTERM");
  expect(await running.ended).toBe(0);
  expect(isAlive(app)).toBe(false);
  expect(existsSync(join(project, ".holdfast/server.json"))).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
