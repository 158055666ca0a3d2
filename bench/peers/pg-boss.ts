// Bench of peers: pg-boss, a queue library over PostgreSQL. Jobs are sent with its own client; completion is read from its table.
import { type App, startPeerApp } from "./app.ts";
import { counted, found, type PeerDatabase, startPeerDatabase, writtenBy } from "./database.ts";
import type { Home, Job, Peer, PeerKind } from "./peer.ts";
import { clientOf } from "./versions.ts";

interface Boss {
  start(): Promise<unknown>;
  stop(options: { graceful: boolean }): Promise<void>;
  on(event: "error", listener: (error: Error) => void): void;
  send(queue: string, job: object, options?: { startAfter?: Date }): Promise<string | null>;
}
interface BossModule {
  PgBoss: new (options: object) => Boss;
}

async function start({ packages }: Home): Promise<Peer> {
  const database = await startPeerDatabase();
  const app = await startPeerApp(packages, "pg-boss", { BENCH_DATABASE_URL: database.url });
  const { PgBoss } = await clientOf<BossModule>(packages, "pg-boss");
  const boss = new PgBoss({ connectionString: database.url, supervise: false, schedule: false, migrate: false });
  boss.on("error", (error) => process.stderr.write(`pg-boss: ${error.message}\n`));
  await boss.start();
  return running(database, app, boss);
}

function running(database: PeerDatabase, app: App, boss: Boss): Peer {
  const send = async (job: Job): Promise<string> => {
    const id = await boss.send("bench", job, job.kind === "sleep" ? { startAfter: new Date(job.due) } : {});
    if (!id) throw new Error("pg-boss did not take the job");
    return id;
  };
  const count = (where: string) =>
    counted(database.client, `select count(*) as n from pgboss.job where name = 'bench' and ${where}`);
  const text = "select 1 from pgboss.job where name = 'bench' and id = $1 and state = 'completed'";
  return {
    submit: async (job) => void (await send(job)),
    submitAndWait: async (job) => found(database.client, { name: "completed", text, values: [await send(job)] }),
    onTold: app.onTold,
    complaints: app.complaints,
    open: () => count("state < 'completed'"),
    completed: () => count("state = 'completed'"),
    processes: () => ({ server: [], database: [database.pid], app: [app.program.pid] }),
    written: () => writtenBy(database.client),
    stop: async () => {
      await boss.stop({ graceful: false });
      await app.program.kill();
      await database.stop();
    },
  };
}

export const pgBoss: PeerKind = {
  name: "pg-boss",
  packages: ["pg-boss"],
  steps: "a job a step",
  sleepsInside: false,
  records: "job and its end",
  settings: "woken by NOTIFY, 4 workers taking batches of 25, polling every 0.5 s (its defaults take one job every 2 s)",
  start,
};
