// Bench of peers: graphile-worker, a queue library over PostgreSQL. Jobs are added with its own client; it deletes a job that has completed.
import { type App, startPeerApp } from "./app.ts";
import { counted, type PeerDatabase, startPeerDatabase, writtenBy } from "./database.ts";
import type { Home, Job, Peer, PeerKind } from "./peer.ts";
import { clientOf } from "./versions.ts";

interface WorkerUtils {
  addJob(task: string, job: object, spec?: { runAt?: Date }): Promise<{ id: string }>;
  release(): Promise<void>;
}
interface GraphileModule {
  makeWorkerUtils(options: { connectionString: string }): Promise<WorkerUtils>;
}

async function start({ packages }: Home): Promise<Peer> {
  const database = await startPeerDatabase();
  const app = await startPeerApp(packages, "graphile-worker", { BENCH_DATABASE_URL: database.url });
  const { makeWorkerUtils } = await clientOf<GraphileModule>(packages, "graphile-worker");
  return running(database, app, await makeWorkerUtils({ connectionString: database.url }));
}

function running(database: PeerDatabase, app: App, client: WorkerUtils): Peer {
  const add = async (job: Job): Promise<string> => {
    const { id } = await client.addJob(job.kind, job, job.kind === "sleep" ? { runAt: new Date(job.due) } : {});
    return id;
  };
  const gone = async (id: string): Promise<void> => {
    const query = { name: "gone", text: "select 1 from graphile_worker.jobs where id = $1", values: [id] };
    while ((await database.client.query(query)).rowCount);
  };
  return {
    submit: async (job) => void (await add(job)),
    submitAndWait: async (job) => gone(await add(job)),
    onTold: app.onTold,
    complaints: app.complaints,
    open: () => counted(database.client, "select count(*) as n from graphile_worker.jobs"),
    completed: async () => undefined,
    processes: () => ({ server: [], database: [database.pid], app: [app.program.pid] }),
    written: () => writtenBy(database.client),
    stop: async () => {
      await client.release();
      await app.program.kill();
      await database.stop();
    },
  };
}

export const graphileWorker: PeerKind = {
  name: "graphile-worker",
  packages: ["graphile-worker"],
  steps: "a job a step",
  sleepsInside: false,
  records: "job; deletes it at its end",
  settings: "those of its performance page: 24 jobs at once, local queue of 500, completions batched without delay",
  start,
};
