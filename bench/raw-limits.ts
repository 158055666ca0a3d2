// Bench: what this machine can do at best, taken in the same run as everything else: flushing, committing, and answering over a WebSocket.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { Pool } from "undici";
import { WebSocket } from "ws";
import { type Program, startProgram } from "../tests/harness/processes.ts";
import type { Figure } from "./figure.ts";
import { percentile, sharedClock } from "./statistics.ts";

export const ONE_COMMIT = "one commit";
export const COMMITS_BY_50 = "commits/s, 50 writers";
export const ONE_ECHO = "one WebSocket echo";
export const BARE_STORE = "a bare server's answer after one commit";
export const BARE_RELAY = "a bare server's answer after a commit, a WebSocket echo and a commit";
const ROW = "x".repeat(200);
const FOR_MS = 1_500;
const BESIDE_MS = 400;
const WARM_REQUESTS = 1_000;
/** About how long an idle webhook's run takes, after which the next is sent. */
const BETWEEN_WEBHOOKS_MS = 3;

/** @param directory on the disk the database is on */
export async function rawLimits(directory: string, connection: pg.ClientConfig): Promise<Figure[]> {
  return [...flushes(directory), ...(await commits(connection)), ...(await echoes()), ...(await bareRequests(connection))];
}

function flushes(directory: string): Figure[] {
  const work = mkdtempSync(join(directory, "flush-"));
  const file = openSync(join(work, "file"), "a");
  const block = Buffer.alloc(4096, 1);
  const times = Array.from({ length: 400 }, () => {
    const from = sharedClock();
    writeSync(file, block);
    fdatasyncSync(file);
    return sharedClock() - from;
  });
  closeSync(file);
  rmSync(work, { recursive: true });
  const total = times.reduce((sum, time) => sum + time, 0);
  return [
    { name: "fdatasync of 4 KiB, p50", value: percentile(times, 0.5), unit: "ms" },
    { name: "fdatasync of 4 KiB, p99", value: percentile(times, 0.99), unit: "ms" },
    { name: "fdatasyncs/s", value: (times.length / total) * 1000, unit: "/s" },
  ];
}

async function commits(connection: pg.ClientConfig): Promise<Figure[]> {
  const alone = await insertFor(connection, 1, FOR_MS);
  const many = await insertFor(connection, 50, FOR_MS);
  return [
    { name: ONE_COMMIT, value: percentile(alone, 0.5), unit: "ms" },
    { name: "commits/s, 1 writer", value: (alone.length / FOR_MS) * 1000, unit: "/s" },
    { name: COMMITS_BY_50, value: (many.length / FOR_MS) * 1000, unit: "/s" },
  ];
}

/** One commit, measured again in the middle of everything: other work on the machine slows it as it slows what it is compared with. */
export async function oneCommitNow(connection: pg.ClientConfig): Promise<Figure> {
  return { name: ONE_COMMIT, value: percentile(await insertFor(connection, 1, BESIDE_MS), 0.5), unit: "ms" };
}

/** Single-row inserts, each its own commit, by so many connections; the milliseconds each took. */
async function insertFor(connection: pg.ClientConfig, writers: number, forMs: number): Promise<number[]> {
  const clients = Array.from({ length: writers }, () => new pg.Client(connection));
  await Promise.all(clients.map((client) => client.connect()));
  const [first] = clients;
  await first?.query("create table if not exists bench_commits (id bigint generated always as identity primary key, row text)");
  const times: number[] = [];
  const until = sharedClock() + forMs;
  const write = async (client: pg.Client) => {
    for (let now = sharedClock(); now < until; ) {
      await client.query({ name: "insert", text: "insert into bench_commits (row) values ($1)", values: [ROW] });
      const after = sharedClock();
      times.push(after - now);
      now = after;
    }
  };
  await Promise.all(clients.map(write));
  await first?.query("drop table bench_commits");
  await Promise.all(clients.map((client) => client.end()));
  return times;
}

/** Bench programs say their port first. */
async function startAtPort(file: string, env: Record<string, string> = {}): Promise<{ program: Program; port: string }> {
  const program = startProgram(["--import", "tsx", file], { env });
  const [, port = ""] = await program.says(/port (\d+)/);
  return { program, port };
}

async function echoes(): Promise<Figure[]> {
  const { program, port } = await startAtPort("bench/echo.ts");
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  await new Promise((resolve) => socket.once("open", resolve));
  const message = JSON.stringify({ t: "report", x: "token", n: 1, items: [{ key: "k".repeat(64), name: "step", output: "1" }] });
  const times: number[] = [];
  for (let i = 0; i < 2_000; i++) {
    const from = sharedClock();
    const answered = new Promise((resolve) => socket.once("message", (text) => resolve(JSON.parse(String(text)))));
    socket.send(message);
    await answered;
    times.push(sharedClock() - from);
  }
  socket.terminate();
  await program.kill();
  return [{ name: ONE_ECHO, value: percentile(times.slice(500), 0.5), unit: "ms" }];
}

/**
 * What no server in Node can go below: see bare-server.ts. Requests come as those they are compared with: webhooks with a pause between them, in which cores
 * fall asleep, lone jobs one right after the other.
 */
async function bareRequests(connection: pg.ClientConfig): Promise<Figure[]> {
  const app = await startAtPort("bench/echo.ts");
  const env = { BENCH_DATABASE: JSON.stringify(connection), BENCH_APP: `ws://127.0.0.1:${app.port}` };
  const server = await startAtPort("bench/bare-server.ts", env);
  const http = new Pool(`http://127.0.0.1:${server.port}`, { connections: 1 });
  const body = JSON.stringify({ row: ROW });
  const median = async (path: string, pauseMs: number): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < WARM_REQUESTS + 200; i++) {
      const from = sharedClock();
      await (await http.request({ method: "POST", path, body })).body.text();
      if (i < WARM_REQUESTS) continue;
      times.push(sharedClock() - from);
      if (pauseMs > 0) await pause(pauseMs);
    }
    return percentile(times, 0.5);
  };
  const figures: Figure[] = [
    { name: BARE_STORE, value: await median("/stored", BETWEEN_WEBHOOKS_MS), unit: "ms" },
    { name: BARE_RELAY, value: await median("/relayed", 0), unit: "ms" },
  ];
  await http.close();
  await server.program.kill();
  await app.program.kill();
  return figures;
}
