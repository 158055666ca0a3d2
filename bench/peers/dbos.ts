// Bench of peers: DBOS, a library over PostgreSQL. Jobs arrive at the app by HTTP, as DBOS's guide has it, and are workflows started there.
import { Pool } from "undici";
import { type App, startPeerApp } from "./app.ts";
import { counted, type PeerDatabase, startPeerDatabase, writtenBy } from "./database.ts";
import type { Home, Job, Peer, PeerKind } from "./peer.ts";

async function start({ packages }: Home): Promise<Peer> {
  const database = await startPeerDatabase();
  const app = await startPeerApp(packages, "dbos", { BENCH_DATABASE_URL: database.url });
  return running(database, app);
}

function running(database: PeerDatabase, app: App): Peer {
  const http = new Pool(`http://127.0.0.1:${app.ready[1]}`, { connections: 50 });
  const post = async (job: Job, path: string): Promise<void> => {
    const { statusCode, body } = await http.request({ method: "POST", path, body: JSON.stringify(job) });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`the app answered ${statusCode}: ${text}`);
  };
  const count = (where: string) => counted(database.client, `select count(*) as n from dbos.workflow_status where ${where}`);
  return {
    submit: (job) => post(job, "/"),
    submitAndWait: (job) => post(job, "/wait"),
    onTold: app.onTold,
    complaints: app.complaints,
    open: () => count("status in ('PENDING', 'ENQUEUED')"),
    completed: () => count("status = 'SUCCESS'"),
    processes: () => ({ server: [], database: [database.pid], app: [app.program.pid] }),
    written: () => writtenBy(database.client),
    stop: async () => {
      await http.close();
      await app.program.kill();
      await database.stop();
    },
  };
}

export const dbos: PeerKind = {
  name: "DBOS",
  packages: ["@dbos-inc/dbos-sdk"],
  steps: "recorded step",
  sleepsInside: true,
  records: "workflow, its input and end; each step with its output",
  settings: "all defaults; workflows start in the process that took the request (no queue); a lone job is awaited there",
  start,
};
