// `npm start`: from a fresh clone to a webhook that became a run. Installs and builds what is missing, starts `holdfast dev` with the Clerk example,
// sends one correctly signed `user.created`, and prints where to look. With --once it waits for both runs, prints them, and stops everything.
// Promises: needs nothing but Node and npm; other flags go to `holdfast dev`; whatever way it ends, no process of it is left.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { build } from "./build.mjs";
import { ensureInstalled, root } from "./install.mjs";
import { whenNpmIsGone } from "./npm-parent.mjs";

const APP = join("examples", "clerk", "src", "app.ts");
const JOBS = ["http-clerk", "welcome-clerk-user"];
const ENDPOINT = "clerk.com";
const SAMPLE = "user.created";
const ONCE_WITHIN_MS = 120_000;
const FINAL = new Set(["SUCCESS", "FAILURE", "TIMED_OUT", "ABORTED", "CANCELED", "UNRESOLVED_AUTH", "INVALID_PAYLOAD"]);
const EXIT = { ok: 0, failed: 1, timeout: 7, interrupted: 130 };

/** A reason to end that a person can read; `exit` is the code we end with. */
class Stop extends Error {
  constructor(exit, message) {
    super(message);
    this.exit = exit;
  }
}

const words = process.argv.slice(2);
const once = words.includes("--once");
const flags = words.filter((word) => word !== "--once");
const json = flags.includes("--json");

/** The data directory `holdfast dev` will use: where its server.json appears. */
function dataDirectory() {
  const at = flags.findLastIndex((word) => word === "--data-dir" || word.startsWith("--data-dir="));
  const given = at === -1 ? process.env.HOLDFAST_DATA_DIR : flags[at] === "--data-dir" ? flags[at + 1] : flags[at].slice(11);
  return resolve(root, given || ".holdfast");
}

function startDev() {
  const args = [join(root, "packages/cli/bin/holdfast.js"), "dev", APP, ...flags];
  // Its own group: Ctrl-C reaches us alone, and we tell it once. The channel tells it when we are killed.
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    detached: process.platform !== "win32",
  });
  const ended = new Promise((done) => {
    child.once("error", () => done(EXIT.failed));
    child.once("exit", (code) => done(code ?? EXIT.failed));
  });
  return { child, ended };
}

/** What server.json says, once it is the one of this child. */
function serverOf(child) {
  try {
    const file = JSON.parse(readFileSync(join(dataDirectory(), "server.json"), "utf8"));
    return file.pid === child.pid ? file : null;
  } catch {
    return null;
  }
}

/** Calls `look` until it gives something; a thrown Stop ends it, any other failure is looked past. */
async function until(look, signal) {
  for (;;) {
    const found = await look().catch((error) => {
      if (error instanceof Stop) throw error;
    });
    if (found) return found;
    await pause(150, undefined, { signal });
  }
}

function api(server) {
  const call = async (method, path, body) => {
    const response = await fetch(`${server.url}/api/v1/environments/dev/${path}`, {
      method,
      headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(30_000),
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = await response.json();
    if (!response.ok)
      throw new Stop(EXIT.failed, `${method} ${path} was answered ${response.status}: ${answer.message} ${answer.hint ?? ""}`);
    return answer;
  };
  return { get: (path) => call("GET", path), post: (path, body) => call("POST", path, body) };
}

/** Resolves once the app is connected and brought the endpoint and both jobs. */
async function appReady(server, signal) {
  await until(async () => {
    const [apps, endpoints, jobs] = await Promise.all(["apps", "endpoints", "jobs"].map((path) => api(server).get(path)));
    const known = endpoints.some(({ id }) => id === ENDPOINT) && JOBS.every((job) => jobs.some(({ id }) => id === job));
    return known && apps.some((app) => app.reachable);
  }, signal);
}

/** Sends the sample and resolves with the ids of the runs it made. */
async function sendSample(server, signal) {
  const sent = await api(server).post(`endpoints/${ENDPOINT}/send`, { sample: SAMPLE });
  if (sent.status >= 300) throw new Stop(EXIT.failed, `The sample was answered ${sent.status}.`);
  return until(async () => {
    const delivery = await api(server).get(`deliveries/${sent.deliveryId}`);
    if (delivery.verdict === "refused") throw new Stop(EXIT.failed, `The sample was refused: ${delivery.reason}`);
    return delivery.runs.length >= JOBS.length && delivery.runs;
  }, signal);
}

/** With --json stdout holds nothing but one object a line, as `holdfast dev` writes it. */
function print(value, text) {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : text);
}

function printWhere(server, runs) {
  const lines = runs.map((id) => `  run        ${server.url}/runs/${id}`);
  print(
    { type: "sample", sample: SAMPLE, runs: runs.map((id) => ({ id, url: `${server.url}/runs/${id}` })) },
    `\n  A signed ${SAMPLE} arrived and started ${runs.length} runs:\n${lines.join("\n")}\n  dashboard  ${server.url}/\n\n`,
  );
}

/** Waits for the runs to end, prints them; the exit code says whether all ended well. */
async function waitAndPrint(server, runs, signal) {
  let failed = 0;
  for (const id of runs) {
    const run = await until(async () => {
      const seen = await api(server).get(`runs/${id}`);
      return FINAL.has(seen.status) && seen;
    }, signal);
    const { id: _, tasks, errorDetail, ...shown } = run;
    print({ type: "result", id, ...shown, error: errorDetail ?? null, tasks: tasks.items }, describeRun(run));
    if (run.status !== "SUCCESS") failed++;
  }
  if (failed) throw new Stop(EXIT.failed, `${failed} of ${runs.length} runs did not succeed.`);
}

function describeRun(run) {
  const tasks = run.tasks.items.map(
    (task) => `    ${task.id}  ${task.status.padEnd(9)}  ${took(task)}  ${task.name}${show(task)}`,
  );
  const output = run.output === undefined || run.output === null ? "" : `\n    output ${JSON.stringify(run.output)}`;
  const error = run.errorDetail ? `\n    error ${run.errorDetail.message}` : "";
  return `  ${run.id}  ${run.job}  ${run.status}  ${took(run)}\n${tasks.join("\n")}${output}${error}\n\n`;
}

const took = ({ startedAt, completedAt }) => {
  const ms = startedAt && completedAt ? Date.parse(completedAt) - Date.parse(startedAt) : null;
  return `${startedAt ?? "–"}  ${ms === null ? "–" : `${ms} ms`.padStart(8)}`;
};
const show = (task) => {
  const value = task.error?.message ?? task.output ?? (task.noop ? task.params : undefined);
  const text = value === undefined || value === null ? "" : JSON.stringify(value);
  return text && `  ${text.length > 100 ? `${text.slice(0, 99)}…` : text}`;
};

async function demonstrate(dev, signal) {
  const server = await until(async () => serverOf(dev.child), signal);
  await appReady(server, signal);
  const runs = await sendSample(server, signal);
  printWhere(server, runs);
  if (once) await waitAndPrint(server, runs, signal);
}

/** Listens for what may end us; the returned promise rejects with the reason. */
function endings(dev) {
  return new Promise((_, stop) => {
    dev.ended.then((code) => stop(new Stop(code === EXIT.ok ? EXIT.failed : code, "")));
    process.on("SIGINT", () => stop(new Stop(EXIT.interrupted, "")));
    process.on("SIGTERM", () => stop(new Stop(EXIT.ok, "")));
    process.on("SIGHUP", () => stop(new Stop(EXIT.ok, "")));
    whenNpmIsGone(() => stop(new Stop(EXIT.ok, "")));
    if (once)
      setTimeout(() => stop(new Stop(EXIT.timeout, `Not done after ${ONCE_WITHIN_MS / 1000} s.`)), ONCE_WITHIN_MS).unref();
  });
}

/** SIGTERM, and after ten seconds, or a second Ctrl-C, the whole group at once. */
async function end(dev) {
  const group = (signal) => {
    try {
      process.kill(process.platform === "win32" ? dev.child.pid : -dev.child.pid, signal);
    } catch {
      // It is gone.
    }
  };
  dev.child.kill("SIGTERM");
  process.on("SIGINT", () => group("SIGKILL"));
  const impatience = setTimeout(() => group("SIGKILL"), 20_000);
  await dev.ended;
  clearTimeout(impatience);
}

async function main() {
  if (!ensureInstalled() || !build()) return EXIT.failed;
  const dev = startDev();
  const stopping = new AbortController();
  const ending = endings(dev);
  ending.catch(() => {});
  try {
    await Promise.race([demonstrate(dev, stopping.signal), ending]);
    return once ? EXIT.ok : await ending;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    if (error.message) process.stderr.write(`npm start: ${error.message}\n`);
    return error.exit;
  } finally {
    stopping.abort();
    await end(dev);
  }
}

process.exit(await main());
