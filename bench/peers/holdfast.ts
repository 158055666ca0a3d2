// Bench of peers: ourselves, as `holdfast start` runs, with every setting at its default.
import { fileURLToPath } from "node:url";
import pg from "pg";
import { Pool } from "undici";
import { embeddedConnection } from "../../tests/harness/embedded-connection.ts";
import { postmasterOf } from "../../tests/harness/processes.ts";
import { DEV_KEY, TestServer } from "../../tests/harness/server.ts";
import { countersIn } from "../counters.ts";
import { type App, startPeerApp } from "./app.ts";
import { counted, writtenBy } from "./database.ts";
import type { Home, Peer, PeerKind } from "./peer.ts";

// Ours is resolved from the checkout, so its app stays there.
const OWN = fileURLToPath(new URL(".", import.meta.url));

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
  const post = async (path: string, content: object, more: Record<string, string> = {}): Promise<void> => {
    const { statusCode, body } = await http.request({
      method: "POST",
      path,
      headers: { authorization: `Bearer ${DEV_KEY}`, "content-type": "application/json", ...more },
      body: JSON.stringify(content),
    });
    const answer = await body.text();
    if (statusCode !== 200) throw new Error(`${path} was answered with ${statusCode}: ${answer}`);
  };
  return {
    submit: (job) => post("/api/v1/events", { event: { name: job.kind, payload: job } }),
    submitAndWait: (job) => post(`/api/v1/jobs/${job.kind}/invoke`, { payload: job }, { prefer: "wait=30" }),
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
  settings:
    "`holdfast start` with its own PostgreSQL; app connected by WebSocket; all defaults; a lone job is a call whose answer is awaited (`Prefer: wait`)",
  start,
};
