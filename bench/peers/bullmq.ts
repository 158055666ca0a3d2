// Bench of peers: BullMQ on the system's redis-server, which flushes every write before it answers (appendfsync always), by unix socket.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Program, startProgram } from "../../tests/harness/processes.ts";
import { type App, startPeerApp } from "./app.ts";
import type { Home, Job, Peer, PeerKind } from "./peer.ts";
import { clientOf } from "./versions.ts";

interface Added {
  waitUntilFinished(events: Closable): Promise<unknown>;
}
interface Closable {
  close(): Promise<void>;
  waitUntilReady(): Promise<unknown>;
}
interface Queue extends Closable {
  add(name: string, data: object, options?: { delay?: number }): Promise<Added>;
  getJobCounts(...states: string[]): Promise<Record<string, number>>;
}
interface BullModule {
  Queue: new (name: string, options: object) => Queue;
  QueueEvents: new (name: string, options: object) => Closable;
}

async function start({ packages, data }: Home): Promise<Peer> {
  const socket = join(data, "redis.sock");
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  const redis = startProgram(["--port", "0", "--unixsocket", socket, "--dir", data, ...durable], { file: "redis-server" });
  await redis.says(/[Rr]eady to accept connections/);
  const app = await startPeerApp(packages, "bullmq", { BENCH_REDIS_SOCKET: socket });
  const { Queue, QueueEvents } = await clientOf<BullModule>(packages, "bullmq");
  const connection = { path: socket };
  const [queue, events] = [new Queue("bench", { connection }), new QueueEvents("bench", { connection })];
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  return running(redis, app, { queue, events });
}

function running(redis: Program, app: App, { queue, events }: { queue: Queue; events: Closable }): Peer {
  const add = (job: Job) => queue.add(job.kind, job, job.kind === "sleep" ? { delay: Math.max(0, job.due - Date.now()) } : {});
  const sum = async (...states: string[]) =>
    Object.values(await queue.getJobCounts(...states)).reduce((total, count) => total + count, 0);
  return {
    submit: async (job) => void (await add(job)),
    submitAndWait: async (job) => void (await (await add(job)).waitUntilFinished(events)),
    onTold: app.onTold,
    complaints: app.complaints,
    open: () => sum("wait", "active", "delayed", "prioritized", "paused", "waiting-children"),
    completed: () => sum("completed"),
    processes: () => ({ server: [], database: [redis.pid], app: [app.program.pid] }),
    written: async () => ({}),
    stop: async () => {
      await Promise.all([queue.close(), events.close()]);
      await app.program.kill();
      await redis.stop();
    },
  };
}

export const bullmq: PeerKind = {
  name: "BullMQ",
  packages: ["bullmq", "ioredis"],
  steps: "a progress write a step",
  sleepsInside: false,
  records: "job and its end, in Redis, whose memory must hold everything",
  settings: "Redis with `appendfsync always`; 50 jobs at once",
  missing: () =>
    spawnSync("redis-server", ["--version"]).status === 0
      ? undefined
      : "there is no redis-server (Debian: apt-get install redis-server)",
  start,
};
