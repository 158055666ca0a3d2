// That one environment, or one app, which floods a server and does not get on, holds up nobody else: a real server and its database, real apps, a service that
// does not answer. What is asked of the good neighbour comes last, and must be done while all of the bad one's is still held.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import type { NeighbourEntry } from "./harness/apps/neighbour.ts";
import { startApp } from "./harness/apps.ts";
import { readJournal } from "./harness/journal.ts";
import { cleanUp, freshDirectory, type Program } from "./harness/processes.ts";
import { PROD_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

/** A question to an app is given up after 30 seconds: what takes as long has waited for that. */
const SOON = { withinMs: 15_000, everyMs: 20 };
const LONG = { timeout: 120_000 };

let server: TestServer;
let dev: Api;
let prod: Api;
/** Answers everything but "/held". */
let outside: Server;
const heldAnswers: ServerResponse[] = [];

interface Neighbour {
  id: string;
  api: Api;
  did: (what: NeighbourEntry["did"]) => number;
  app: Program;
}
let bad: Neighbour;
/** As bad, and it has room for runs. */
let doubting: Neighbour;
let beside: Neighbour;
let elsewhere: Neighbour;

async function neighbour(id: string, api: Api, env: Record<string, string> = {}): Promise<Neighbour> {
  const journal = join(freshDirectory(), "neighbour.jsonl");
  const app = startApp(server, "tests/harness/apps/neighbour.ts", {
    TRIGGER_API_KEY: api.key,
    APP_JOURNAL: journal,
    APP_ID: id,
    ...env,
  });
  await app.says(/connected/);
  const did: Neighbour["did"] = (what) => readJournal<NeighbourEntry>(journal).filter((entry) => entry.did === what).length;
  return { id, api, did, app };
}

beforeAll(async () => {
  server = await TestServer.start();
  dev = server.api;
  prod = new Api(server.url, PROD_KEY, "prod");
  outside = createServer((request, response) => {
    if (request.url === "/held") heldAnswers.push(response);
    else response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  bad = await neighbour("bad", dev, { APP_HOLD: join(freshDirectory(), "never") });
  doubting = await neighbour("doubting", dev, { APP_HOLD: join(freshDirectory(), "never"), APP_DOUBTS: "1" });
  beside = await neighbour("beside", dev);
  elsewhere = await neighbour("elsewhere", prod);
}, 60_000);
afterAll(async () => {
  // Not stopped politely: what is held would be waited for.
  await server?.kill();
  outside?.closeAllConnections();
  outside?.close();
  await cleanUp();
});

const send = ({ id, api }: Neighbour, name: string, payload: object = {}) => api.send({ name: `${id}.${name}`, payload });
const does = ({ did, id }: Neighbour, what: NeighbourEntry["did"], times = 1): Promise<boolean> =>
  until(() => did(what) >= times, { ...SOON, what: () => `${id} to have done "${what}" ${times} times` });

test("thousands of runs of an app that does not get on hold up no other app", LONG, async () => {
  const batch = Array.from({ length: 300 }, () => ({ name: "bad.slow", payload: {} }));
  for (let n = 0; n < 10; n++) await dev.post("/api/v1/events/bulk", { events: batch });
  await does(bad, "slow", 5);
  for (const good of [elsewhere, beside]) {
    await send(good, "brief");
    await does(good, "brief");
  }
  expect(bad.did("slow")).toBe(5);
});

test("requests whose app does not say whether they are genuine hold up no other app's", LONG, async () => {
  const [slow, ...others] = await Promise.all([doubting, elsewhere, beside].map(({ api, id }) => api.endpointUrl(`${id}-hook`)));
  const post = (url = "") => fetch(url, { method: "POST", body: "{}" });
  // A hundred are asked about at once; of the others, which wait to be claimed, fifty at a time.
  for (let n = 0; n < 6; n++) await Promise.all(Array.from({ length: 50 }, () => post(slow)));
  await does(doubting, "hook", 150);
  for (const url of others) expect((await post(url)).status).toBe(200);
  await does(elsewhere, "heard");
  await does(beside, "heard");
  expect(doubting.did("heard")).toBe(0);
});

test("requests the server makes for one environment hold up no other's, not even to the same host", LONG, async () => {
  const { port } = outside.address() as AddressInfo;
  // Another app than the bad one, which has no room for runs any more.
  for (let n = 0; n < 3; n++) await send(beside, "fetches", { url: `http://127.0.0.1:${port}/held`, count: 150 });
  await until(() => heldAnswers.length >= 256, { ...SOON, what: () => `256 held requests; there are ${heldAnswers.length}` });
  await send(elsewhere, "fetches", { url: `http://127.0.0.1:${port}/now`, count: 3 });
  await does(elsewhere, "fetched");
  expect(beside.did("fetched")).toBe(0);
});

test(
  "requests that came while their app was away are verified though it has no room for runs, and thousands wait",
  LONG,
  async () => {
    const hold = { APP_HOLD: join(freshDirectory(), "never") };
    const busy = await neighbour("busy", dev, hold);
    const batch = Array.from({ length: 300 }, () => ({ name: "busy.slow", payload: {} }));
    for (let n = 0; n < 5; n++) await dev.post("/api/v1/events/bulk", { events: batch });
    await does(busy, "slow", 5);
    const url = await dev.endpointUrl("busy-hook");
    await busy.app.kill();
    const asked = await fetch(url, { method: "POST", body: "{}" });
    const { id } = (await asked.json()) as { id: string };
    const back = await neighbour("busy", dev, hold);
    const verdict = async () => (await dev.delivery(id)).verdict === "verified";
    await until(verdict, { ...SOON, what: () => "the request to be verified" });
    await does(back, "slow", 5);
    expect(back.did("heard")).toBe(0);
  },
);
