// Bench: pg-boss's worker: woken by NOTIFY, in batches, several at a time; with its defaults (one job every two seconds) there would be nothing to compare.
import { PgBoss } from "pg-boss";
import { link, tell, woke } from "./tell.mjs";

const boss = new PgBoss({ connectionString: process.env.BENCH_DATABASE_URL, useListenNotify: true });
boss.on("error", (error) => console.error(error));
await boss.start();
await boss.createQueue("bench", { notify: true });

async function perform(job) {
  if (job.kind === "noop") tell({ job: "noop", id: job.id });
  else if (job.kind === "sleep") woke(job);
  else await link(job, (next) => boss.send("bench", next));
}

// Delayed jobs wake nobody, so the polling that finds them is as frequent as it can be with NOTIFY too.
const polling = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
const setting = { batchSize: 25, localConcurrency: 4, ...polling };
await boss.work("bench", setting, (batch) => Promise.all(batch.map(({ data }) => perform(data))));
console.log("ready");
