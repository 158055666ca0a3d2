// Filters as an app without any SDK may register them: what could not be evaluated, or would silently match too much, is refused when the app is indexed,
// over both transports and with the place in the message; the server goes on, and no event starts a run of it.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";

let server: TestServer;
let app: Server;
/** What the raw app answers to INDEX_ENDPOINT, as text: hostile JSON must reach the wire as it is written. */
let index = "";

beforeAll(async () => {
  server = await TestServer.start();
  app = createServer((request, response) => {
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(request.headers["x-trigger-action"] === "PING" ? '{"ok":true}' : index);
    });
  });
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  app.close();
  await cleanUp();
});

const nested = (depth: number) => `${'{"a":'.repeat(depth)}[1]${"}".repeat(depth)}`;

/** An index with one job, of a trigger with this filter, and an endpoint that answers itself where the other one matches. */
function indexWith(filter: string, respondFilter = "{}", event = "filtered"): string {
  const specification = { name: event, title: event, source: "trigger.dev", icon: "i" };
  const job = JSON.stringify({ id: "filtered", name: "Filtered", version: "1.0.0", enabled: true, event: specification });
  const trigger = `{"type":"static","title":"t","rule":{"event":"${event}","source":"trigger.dev","payload":${filter}}}`;
  const endpoint = JSON.stringify({ id: "hook", version: "1", enabled: true, event: specification, source: "s" });
  return `{"jobs":[${job.slice(0, -1)},"trigger":${trigger}}],"sources":[],"dynamicTriggers":[],"dynamicSchedules":[],
    "httpEndpoints":[${endpoint.slice(0, -1)},"immediateResponseFilter":${respondFilter}}]}`;
}

async function registered(id: string, text: string): Promise<{ status: number; message: string }> {
  index = text;
  const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}/`;
  const headers = { authorization: `Bearer ${DEV_KEY}`, "content-type": "application/json" };
  const response = await fetch(`${server.url}/api/v1/endpoints`, { method: "POST", headers, body: JSON.stringify({ id, url }) });
  return { status: response.status, message: ((await response.json()) as { message?: string }).message ?? "" };
}

type Refusal = [what: string, filter: string, message: RegExp];
const refusals: Refusal[] = [
  ["a key that reaches a prototype", '{"constructor":{"name":["Object"]}}', /job "filtered".*at constructor\): .*not allowed/],
  ["__proto__ at the top", '{"__proto__":{"plan":["pro"]}}', /job "filtered".*at __proto__\): .*not allowed/],
  ["__proto__ below", '{"a":{"__proto__":{"plan":["pro"]}}}', /at a\.__proto__\): .*not allowed/],
  ["65 levels", nested(65), /64 levels deep at most/],
  ["20,000 levels", nested(20_000), /64 levels deep at most|not in the known form/],
  ["20,000 lists in a list", `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`, /at a\): .*no list/],
  ["an unknown operator", '{"a":[{"$regex":"x"}]}', /"\$regex" is not an operator/],
  ["an operator of Object", '{"a":[{"hasOwnProperty":"x"}]}', /"hasOwnProperty" is not an operator/],
  ["an operator called __proto__", '{"a":[{"__proto__":"x"}]}', /"__proto__" is not an operator/],
  ["a mixture", '{"a":["x",1]}', /not a mixture/],
  ["null in a list", '{"a":[null]}', /no null/],
  ["a bare value", '{"a":"x"}', /leaf is a list/],
  ["no object", '["x"]', /payload|is an object/],
];

describe("over HTTP, an index is refused with", () => {
  test.each(refusals)("%s", async (_what, filter, message) => {
    const answer = await registered("refused", indexWith(filter));
    expect(answer.message).toMatch(message);
    expect(answer.message.length).toBeLessThan(2_000);
    expect([400, 422]).toContain(answer.status);
    await server.api.send({ name: "filtered", payload: { a: 1, plan: "pro" } });
    expect(await server.api.runsOf("filtered")).toEqual([]);
  });

  test.each<Refusal>([
    ["a field of the payload beside the parts of a request", '{"type":["x"]}', /respondWith of HTTP endpoint "hook".*at type\)/],
    ["__proto__ in the parts", '{"__proto__":{"a":["x"]}}', /respondWith of HTTP endpoint "hook".*at __proto__\)/],
    ["__proto__ in the body", '{"body":{"__proto__":{"a":["x"]}}}', /at body\.__proto__\): .*not allowed/],
    ["__proto__ in headers", '{"headers":{"__proto__":["x"]}}', /at headers\.__proto__\): .*not allowed/],
    ["a method that is no list", '{"method":"POST"}', /at method\): .*leaf is a list/],
  ])("respondWith: %s", async (_what, filter, message) => {
    const answer = await registered("refused", indexWith("{}", filter));
    expect(answer).toMatchObject({ status: 422, message: expect.stringMatching(message) });
  });
});

test("over connect, the app is refused with the job, the place and the reason, and is not registered", async () => {
  for (const [what, filter, message] of refusals.slice(0, 9)) {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/v1/connect`, {
      headers: { authorization: `Bearer ${DEV_KEY}` },
    });
    await new Promise((resolve) => socket.once("open", resolve));
    const heard = new Promise<string>((resolve) => socket.once("message", (data) => resolve(String(data))));
    const hello = { t: "hello", protocol: 1, app: "refused", sdk: "0", concurrency: 1 };
    socket.send(`${JSON.stringify(hello).slice(0, -1)},"index":${indexWith(filter)}}`);
    const { t, message: text, hint } = JSON.parse(await heard) as { t: string; message: string; hint?: string };
    expect([what, t]).toEqual([what, "refused"]);
    expect(`${text} ${hint}`).toMatch(message);
    socket.terminate();
  }
});

test("keys that only look dangerous are keys like any other", async () => {
  const filter = '{"hasOwnProperty":["yes"],"toString":{"length":[{"$gt":1}]},"$ref":[{"$exists":true}]}';
  expect(await registered("harmless", indexWith(filter, "{}", "harmless"))).toMatchObject({ status: 200 });
  const payloads: object[] = [
    {},
    { hasOwnProperty: "yes", toString: { length: 2 } },
    { hasOwnProperty: "yes", toString: "xxx", $ref: 1 },
    { hasOwnProperty: "yes", toString: { length: 2 }, $ref: 1 },
  ];
  for (const payload of payloads) await server.api.send({ name: "harmless", payload });
  expect(await server.api.runsOf("filtered")).toHaveLength(1);
});
