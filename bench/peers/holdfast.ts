// Bench of peers: ourselves, as `holdfast start` runs, with every setting at its default.
import { fileURLToPath } from "node:url";
import { TriggerClient } from "@holdfast/sdk";
import pg from "pg";
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
  const caller = new TriggerClient({ id: "caller", apiKey: DEV_KEY, apiUrl: server.url });
  return {
    submit: async (job) => void (await caller.sendEvent({ name: job.kind, payload: job })),
    submitAndWait: async (job) => {
      const end = await caller.invokeJobAndWait(job.kind, job);
      if (!end.ok) throw new Error(`the run of ${job.id} ended as ${end.status}`);
    },
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
      const metrics = await fetch(`${server.url}/metrics`);
      return { ...(await writtenBy(client)), commits: countersIn(await metrics.text()).commits };
    },
    stop: async () => {
      await client.end();
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
    "`holdfast start` with its own PostgreSQL; app connected by WebSocket; jobs submitted by the SDK's client, which calls over its stream; all defaults",
  start,
};
