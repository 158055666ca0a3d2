// Read this first: one webhook on its way through every room, `request → delivery → event → run → execution → task → view` (ARCHITECTURE.md has the map).
// A real server and a real app, both in this process; each station is looked at from outside, and the comment names the room that did the work.
import { TriggerClient } from "@holdfast/sdk";
import { startServer } from "@holdfast/server";
import { afterAll, expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import { cleanUp, freshDirectory } from "./harness/processes.ts";
import { until } from "./harness/until.ts";

afterAll(cleanUp);

test("a webhook becomes a durable run", async () => {
  // main: builds the World, opens the database in the data directory, and puts the rooms together.
  const server = await startServer({ mode: "dev", host: "127.0.0.1", port: 0, dataDir: freshDirectory(), logLevel: "warn" });
  const api = new Api(server.url, server.keys.dev);

  // The user's app: an endpoint, and a job that runs for each request to it. It dials out, and says what it holds.
  const client = new TriggerClient({ id: "shop", apiUrl: server.url, apiKey: server.keys.dev });
  const orders = client.defineHttpEndpoint({
    id: "orders",
    source: "shop",
    verify: async (request: Request) => ({ success: request.headers.get("x-secret") === "s3cret", reason: "Wrong secret" }),
  });
  client.defineJob({
    id: "thank",
    name: "Thank the buyer",
    version: "1.0.0",
    trigger: orders.onRequest(),
    run: async (request, io, ctx) => {
      const order: { buyer: string } = await request.json();
      // sdk replay + server tasks: done once, and its result is on disk before the next line is reached.
      const thanks = await io.runTask("thanks", async () => `Thank you, ${order.buyer}!`, { name: "Write thanks" });
      await io.wait("before sending", 0.2);
      return { thanks, run: ctx.run.id };
    },
  });
  const app = client.connect();
  await app.ready;

  // http + ingest, request → delivery: the raw bytes are on disk before the sender hears 200.
  const [headers, body] = [{ "x-secret": "s3cret" }, JSON.stringify({ buyer: "Ada" })];
  const answer = await fetch(await api.endpointUrl("orders"), { method: "POST", headers, body });
  expect(answer.status).toBe(200);
  const id = answer.headers.get("x-holdfast-delivery") ?? "";

  // worker + ingest, delivery → event: the app's verify() was asked, and only then there is an event. dispatch, event → run: in the same transaction.
  const delivery = await until(() => api.delivery(id).then((each) => (each.verdict === "verified" ? each : null)));
  expect(Buffer.from(delivery.bodyBase64, "base64").toString()).toBe(body);
  expect(delivery).toMatchObject({ eventId: expect.stringMatching(/^evt_/), runs: [expect.stringMatching(/^run_/)] });

  // worker + execute, run → execution: claimed, sent to the app; it suspends at the wait, and a second execution goes on behind it.
  // runs: each of those changes is one `advance` of the engine, written by runs/change.ts alone.
  const run = await api.reaches(delivery.runs[0] ?? "", "SUCCESS");
  expect(run).toMatchObject({ job: "thank", executions: 2, output: { thanks: "Thank you, Ada!", run: run.id } });

  // views, task → view: what the dashboard shows.
  const tasks = await api.tasks(run.id);
  expect(tasks.map(({ name, status }) => `${name} ${status}`)).toEqual(["Write thanks COMPLETED", "wait COMPLETED"]);
  expect((await api.runs()).map((each) => each.id)).toEqual([run.id]);

  await app.close();
  await server.stop();
});
