// Bench: BullMQ's worker. It has no steps; a progress write is the nearest: stored in Redis, but nobody replays it.
import { Worker } from "bullmq";
import { steps, tell, woke } from "./tell.mjs";

async function perform(job) {
  if (job.name === "noop") tell({ job: "noop", id: job.data.id });
  else if (job.name === "sleep") woke(job.data);
  else await steps(job.data, (i) => job.updateProgress(i));
}

const connection = { path: process.env.BENCH_REDIS_SOCKET };
const worker = new Worker("bench", perform, { connection, concurrency: 50 });
worker.on("error", (error) => console.error(error));
await worker.waitUntilReady();
console.log("ready");
