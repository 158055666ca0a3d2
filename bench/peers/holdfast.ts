// Bench of peers: ourselves, as `holdfast start` runs, with every setting at its default.
import { fileURLToPath } from "node:url";
import pg from "pg";
import { Pool } from "undici";
import { embeddedConnection } from "../../tests/harness/embedded-connection.ts";
import { postmasterOf } from "../../tests/harness/processes.ts";
import { DEV_KEY, TestServer } from "../../tests/harness/server.ts";
import { countersIn } from "../counters.ts";
import { type App, startPeerApp } from "./app.ts";
import { counted, found, writtenBy } from "./database.ts";
import type { Home, Job, Peer, PeerKind } from "./peer.ts";

// Ours is resolved from the checkout, so its app stays there.
const OWN = fileURLToPath(new URL(".", import.meta.url));
const COMPLETED = `select 1 from event_keys k join runs r on r.event_row_id = k.event_row_id
  where k.event_id = $1 and r.state_kind = 'finished'`;

async function start({ data }: Home): Promise<Peer> {
  const server = await TestServer.start({ dataDir: data });
  const app = await startPeerApp(OWN, "holdfast", server.appEnv);
  await server.api.knowsJob("sleep");
  const client = new pg.Client(embeddedConnection(data));
  await client.connect();
  return running(server, app, client);
}

function running(server: TestServer, app: App, client: pg.Client): Peer {
  const http = new Pool(server.url, { connections: 50 });
  const send = async (job: Job): Promise<string> => {
    const { statusCode, body } = await http.request({
      method: "POST",
      path: "/api/v1/events",
      headers: { authorization: `Bearer ${DEV_KEY}`, "content-type": "application/json" },
      body: JSON.stringify({ event: { name: job.kind, payload: job } }),
    });
    if (statusCode !== 200) throw new Error(`the event was answered with ${statusCode}: ${await body.text()}`);
    return ((await body.json()) as { id: string }).id;
  };
  return {
    submit: async (job) => void (await send(job)),
    submitAndWait: async (job) => found(client, { name: "completed", text: COMPLETED, values: [await send(job)] }),
    onTold: app.onTold,
    complaints: app.complaints,
    open: () => counted(client, "select count(*) as n from runs where state_kind <> 'finished'"),
    completed: () => counted(client, "select count(*) as n from runs where status = 'SUCCESS'"),
    processes: () => ({
      server: [server.program.pid],
      database: [postmasterOf(server.dataDir) ?? -1],
      app: [app.program.pid],
    }),
    written: async () => {
      const { body } = await http.request({ method: "GET", path: "/metrics" });
      return { ...(await writtenBy(client)), commits: countersIn(await body.text()).commits };
    },
    stop: async () => {
      await client.end();
      await http.close();
      await app.program.stop();
      await server.stop();
    },
  };
}

export const holdfast: PeerKind = {
  name: "Holdfast",
  packages: [],
  steps: "recorded step",
  sleepsInside: true,
  records: "event, run and its end; each step with its output",
  settings: "`holdfast start` with its own PostgreSQL; app connected by WebSocket; all defaults",
  start,
};
