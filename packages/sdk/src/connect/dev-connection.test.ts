// The connection an app makes by itself under `holdfast dev -- <command>`: when it does, when it does not, and who wins after a module reload.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ConnectServer } from "../../test-kit/connect-server.ts";
import { settled } from "../../test-kit/virtual-runtime.ts";
import { createMiddleware } from "../adapters/express.ts";
import { TriggerClient, type TriggerClientOptions } from "../client/client.ts";
import { realRuntime } from "../runtime/real.ts";
import { webRuntime } from "../runtime/web-runtime.ts";
import { invokeTrigger } from "../triggers/invoke-trigger.ts";

let server: ConnectServer;
let environment: Record<string, string>;
let lines: string[];
/** Ids differ between tests: the connections of a process are known by the app's id. */
let apps = 0;
let id: string;

beforeEach(async () => {
  server = new ConnectServer();
  const url = await server.listen();
  environment = { HOLDFAST_DEV_CONNECT: "1", HOLDFAST_API_URL: url, HOLDFAST_API_KEY: "tr_dev_abc" };
  lines = [];
  apps += 1;
  id = `app-${apps}`;
});
afterEach(() => server.close());

function clientOf(options: Partial<TriggerClientOptions> = {}): TriggerClient {
  const [mine, written] = [{ ...environment }, lines];
  const log = (_level: string, message: string) => void written.push(message);
  return new TriggerClient({ id, runtime: { ...realRuntime, env: (name) => mine[name], log }, ...options });
}
function define(client: TriggerClient, job = "one"): TriggerClient {
  client.defineJob({ id: job, name: job, version: "1.0.0", trigger: invokeTrigger(), run: async () => {} });
  return client;
}
const jobsOf = (hello: { index: { jobs: { id: string }[] } }) => hello.index.jobs.map((job) => job.id);

it("dials once its definitions exist, with all of them, also when it is mounted", async () => {
  const client = define(clientOf(), "one");
  createMiddleware(client);
  define(client, "two");
  const peer = await server.peer();
  expect(peer.authorization).toBe("Bearer tr_dev_abc");
  const hello = await peer.next("hello");
  expect([hello.app, jobsOf(hello)]).toEqual([id, ["one", "two"]]);
  define(client, "three");
  expect(jobsOf(await peer.next("index"))).toEqual(["one", "two", "three"]);
  expect(server.upgrades).toBe(1);
});

it("does nothing when the variable is not set, without a key, or without definitions", async () => {
  clientOf();
  delete environment.HOLDFAST_API_KEY;
  define(clientOf());
  environment = { ...environment, HOLDFAST_API_KEY: "tr_dev_abc", HOLDFAST_DEV_CONNECT: "" };
  define(clientOf());
  await settled(50);
  expect([server.upgrades, lines]).toEqual([0, []]);
});

it("never dials another server than that of holdfast dev, and says so", async () => {
  define(clientOf({ apiUrl: "http://127.0.0.1:9" }));
  await expect.poll(() => lines.join()).toContain("its apiUrl is http://127.0.0.1:9");
  expect(server.upgrades).toBe(0);
});

it("where there are no sockets it is silent when holdfast dev calls the app by its URL, and else says what is missing", async () => {
  const edge = (env: Record<string, string>) => {
    id = `${id}-edge`;
    const log = (_level: string, message: string) => void lines.push(message);
    return define(new TriggerClient({ id, runtime: { ...webRuntime, env: (name) => ({ ...environment, ...env })[name], log } }));
  };
  edge({ HOLDFAST_DEV_APP_URLS: "http://localhost:3000/api/trigger" });
  await settled(50);
  expect(lines).toEqual([]);
  edge({});
  await expect.poll(() => lines).toEqual([expect.stringContaining("cannot dial out: start holdfast dev with --app-url")]);
  expect(server.upgrades).toBe(0);
});

it("says why it was refused", async () => {
  server.refusal = { status: 401, body: JSON.stringify({ message: "This key opens nothing." }) };
  define(clientOf());
  await expect.poll(() => lines.join()).toContain("could not connect to holdfast dev: This key opens nothing.");
});

it("a reloaded module's client replaces the earlier connection", async () => {
  define(clientOf(), "before");
  const first = await server.welcomed();
  define(clientOf(), "after");
  await first.next("leaving");
  await first.closed;
  expect(jobsOf(await (await server.peer()).next("hello"))).toEqual(["after"]);
  expect(server.upgrades).toBe(2);
});

it("a later copy that is not mounted does not replace the one that is; one that is mounted does", async () => {
  createMiddleware(define(clientOf(), "mounted"));
  const first = await server.welcomed();
  const copy = define(clientOf(), "of-one-page");
  await settled(50);
  expect(server.upgrades).toBe(1);
  createMiddleware(copy);
  await first.next("leaving");
  expect(jobsOf(await (await server.peer()).next("hello"))).toEqual(["of-one-page"]);
});

it("gives way to a program that connects itself, before it dialled or after", async () => {
  const early = define(clientOf());
  const first = early.connect({ concurrency: 3 });
  expect((await (await server.peer()).next("hello")).concurrency).toBe(3);
  await settled(50);
  expect(server.upgrades).toBe(1);
  await first.close();

  id = `${id}-late`;
  const late = define(clientOf());
  const automatic = await server.welcomed();
  const second = late.connect({ concurrency: 5 });
  await automatic.next("leaving");
  expect((await (await server.peer()).next("hello")).concurrency).toBe(5);
  await second.close();
});

it("does not keep a program alive that has nothing else to do", async () => {
  const script = `
    const { TriggerClient, invokeTrigger } = await import(${JSON.stringify(fileURLToPath(new URL("../index.ts", import.meta.url)))});
    const client = new TriggerClient({ id: "seed" });
    client.defineJob({ id: "j", name: "J", version: "1.0.0", trigger: invokeTrigger(), run: async () => {} });
    await new Promise((resolve) => process.stdin.once("data", resolve));
    process.stdin.unref();`;
  const env = { ...process.env, ...environment };
  const args = ["--conditions", "holdfast-source", "--import", "tsx", "--input-type", "module", "-e", script];
  const running = promisify(execFile)(process.execPath, args, { env });
  const peer = await server.welcomed();
  running.child.stdin?.write("go\n");
  await running;
  await peer.closed;
  expect(server.upgrades).toBe(1);
});
