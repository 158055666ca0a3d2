// Bench of peers: Restate, one node of the server its own package brings, with its defaults; jobs are one-way calls through its HTTP ingress.
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { Pool } from "undici";
import { type Program, startProgram } from "../../tests/harness/processes.ts";
import { until } from "../../tests/harness/until.ts";
import { type App, startPeerApp } from "./app.ts";
import type { Home, Job, Peer, PeerKind } from "./peer.ts";

interface Ports {
  ingress: number;
  admin: number;
  node: number;
  app: number;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function start({ packages, data }: Home): Promise<Peer> {
  const [ingress, admin, node, port] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const ports: Ports = { ingress, admin, node, app: port };
  const server = startProgram([], { file: serverProgram(packages), env: environment(data, ports), cwd: data });
  const api = new Pool(`http://127.0.0.1:${admin}`, { connections: 2 });
  const answers = async (path: string): Promise<boolean> => {
    const answer = await api.request({ method: "GET", path }).catch(() => undefined);
    await answer?.body.dump();
    return answer?.statusCode === 200;
  };
  await until(() => answers("/health"), { withinMs: 60_000, what: () => `Restate's start:\n${server.output().slice(-4_000)}` });
  const app = await startPeerApp(packages, "restate", { BENCH_PORT: String(port), RESTATE_LOGGING: "ERROR" });
  const body = JSON.stringify({ uri: `http://127.0.0.1:${port}` });
  const headers = { "content-type": "application/json" };
  const registered = await api.request({ method: "POST", path: "/deployments", headers, body });
  if (registered.statusCode >= 300) throw new Error(`Restate does not take the app: ${await registered.body.text()}`);
  await registered.body.dump();
  return running(server, app, { ingress: new Pool(`http://127.0.0.1:${ingress}`, { connections: 50 }), admin: api });
}

function serverProgram(packages: string): string {
  const outer = createRequire(join(packages, "apps", "here.mjs")).resolve("@restatedev/restate-server/package.json");
  const inner = createRequire(outer).resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/package.json`);
  return join(inner, "..", "bin", "restate-server");
}

function environment(data: string, { ingress, admin, node }: Ports): Record<string, string> {
  return {
    RESTATE_BASE_DIR: data,
    RESTATE_NODE_NAME: "bench",
    RESTATE_LISTEN_MODE: "tcp",
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_LOG_FILTER: "warn",
    DO_NOT_TRACK: "1",
  };
}

function running(server: Program, app: App, http: { ingress: Pool; admin: Pool }): Peer {
  const call = async (job: Job, path: string): Promise<void> => {
    const headers = { "content-type": "application/json" };
    const { statusCode, body } = await http.ingress.request({ method: "POST", path, headers, body: JSON.stringify(job) });
    const text = await body.text();
    if (statusCode >= 300) throw new Error(`Restate answered ${statusCode}: ${text}`);
  };
  const ask = async (where: string): Promise<number> => {
    const headers = { "content-type": "application/json", accept: "application/json" };
    const body = JSON.stringify({ query: `select count(*) as n from sys_invocation where ${where}` });
    const answer = await http.admin.request({ method: "POST", path: "/query", headers, body });
    const { rows } = (await answer.body.json()) as { rows: { n: number }[] };
    return rows[0]?.n ?? Number.NaN;
  };
  return {
    submit: (job) => call(job, `/jobs/${job.kind}/send`),
    submitAndWait: (job) => call(job, `/jobs/${job.kind}`),
    onTold: app.onTold,
    complaints: app.complaints,
    open: () => ask("status <> 'completed'"),
    completed: async () => undefined,
    processes: () => ({ server: [server.pid], database: [], app: [app.program.pid] }),
    written: async () => ({}),
    stop: async () => {
      await Promise.all([http.ingress.close(), http.admin.close()]);
      await server.stop();
      await app.program.stop();
    },
  };
}

export const restate: PeerKind = {
  name: "Restate",
  packages: ["@restatedev/restate-server", "@restatedev/restate-sdk"],
  steps: "recorded step",
  sleepsInside: true,
  records: "call, its journal of steps and its end, in its own log and RocksDB",
  settings:
    "one node, all defaults; a lone job is a call whose answer is awaited; its SDK gets `Promise.withResolvers` where Node lacks it",
  start,
};
