// `npm start` as a newcomer uses it: it stays up, the dashboard answers, and whatever way it ends, even by kill -9, nothing of it is left.
// The promises of `npm start -- --once` are shown by running it from a fresh clone.
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { cleanEnv, cleanUp, freshDirectory, postmasterOf, ROOT } from "./harness/processes.ts";
import { until } from "./harness/until.ts";

const started = new Set<ChildProcess>();
afterAll(async () => {
  for (const npm of started) signalGroup(npm, "SIGKILL");
  await cleanUp();
});

interface Running {
  npm: ChildProcess;
  /** npm, its shell, our script, `holdfast dev`, the app; and PostgreSQL. */
  pids: number[];
  script: number;
  url: string;
}

describe.skipIf(process.platform === "win32")("npm start", () => {
  test.each<[string, (running: Running) => void]>([
    ["Ctrl-C in its terminal", ({ npm }) => signalGroup(npm, "SIGINT")],
    ["SIGTERM to npm", ({ npm }) => npm.kill("SIGTERM")],
    ["kill -9 of npm", ({ npm }) => npm.kill("SIGKILL")],
    ["kill -9 of the script", ({ script }) => void process.kill(script, "SIGKILL")],
  ])("%s ends everything", { timeout: 120_000 }, async (_how, end) => {
    const running = await start();
    expect((await fetch(running.url)).headers.get("content-type")).toContain("text/html");
    expect(running.pids.length).toBeGreaterThanOrEqual(5);
    end(running);
    await until(() => running.pids.filter(isRunning).length === 0, {
      withinMs: 20_000,
      what: () => `the end of ${running.pids.filter(isRunning).map((pid) => `${pid} ${commandOf(pid)}`)}`,
    });
    await expect(fetch(running.url)).rejects.toThrow();
  });
});

test("npm start -- --once --json writes one object a line, the runs with their tasks last", { timeout: 120_000 }, async () => {
  const env = { ...cleanEnv(), HOLDFAST_PORT: "0", HOLDFAST_DATA_DIR: freshDirectory(), WELCOME_DELAY_SECONDS: "1" };
  const words = [join(ROOT, "scripts/start.mjs"), "--once", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: ROOT, env });
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const [sample] = events.filter(({ type }) => type === "sample");
  const results = events.filter(({ type }) => type === "result");
  expect(sample.runs.map(({ id }: { id: string }) => id)).toEqual(results.map(({ id }) => id));
  // Runs stored in one millisecond have no order.
  expect(results.sort((a, b) => a.job.localeCompare(b.job))).toMatchObject([
    { job: "http-clerk", status: "SUCCESS", error: null, tasks: [{ name: "log", status: "COMPLETED" }] },
    { job: "welcome-clerk-user", status: "SUCCESS", output: { welcomed: "ada@example.com" } },
  ]);
});

async function start(): Promise<Running> {
  const dataDir = freshDirectory();
  const env = { ...cleanEnv(), HOLDFAST_PORT: "0", HOLDFAST_DATA_DIR: dataDir };
  const npm = spawn("npm", ["start"], { cwd: ROOT, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  started.add(npm);
  let said = "";
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const seen = () => {
    if (npm.exitCode !== null) throw new Error(`npm start ended:\n${said}`);
    return /dashboard {2}(http\S+)\n\n/.exec(said);
  };
  const [, url = ""] = await until(seen, { withinMs: 90_000, what: () => `its start:\n${said}` });
  expect(existsSync(join(dataDir, "server.json"))).toBe(true);
  const family = descendants(npm.pid ?? 0);
  const script = family.find((pid) => /^\S*node scripts\/start\.mjs$/.test(commandOf(pid)));
  const postgres = postmasterOf(dataDir);
  if (!script || !postgres) throw new Error(`no script or no PostgreSQL among ${family.map(commandOf)}`);
  return { npm, url, script, pids: [...family, postgres] };
}

/** A process and all below it. */
function descendants(top: number): number[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const table = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const below = (pid: number): number[] => [pid, ...table.flatMap(([child = 0, parent]) => (parent === pid ? below(child) : []))];
  return below(top);
}

function commandOf(pid: number): string {
  try {
    return execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

/** A process that ended and waits for a parent that never asks is not running. */
function isRunning(pid: number): boolean {
  try {
    if (process.platform === "linux") return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (!child.pid) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}
