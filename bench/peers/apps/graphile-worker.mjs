// Bench: graphile-worker with the settings its own performance page shows.
import { Logger, run } from "graphile-worker";
import { link, tell, woke } from "./tell.mjs";

await run({
  preset: {
    worker: {
      connectionString: process.env.BENCH_DATABASE_URL,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
      logger: new Logger(() => (level, message) => level === "error" && console.error(message)),
    },
  },
  taskList: {
    noop: async ({ id }) => tell({ job: "noop", id }),
    steps: (job, { addJob }) => link(job, (next) => addJob("steps", next)),
    sleep: async (job) => woke(job),
  },
});
console.log("ready");
