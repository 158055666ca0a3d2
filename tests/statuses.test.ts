// Statuses as users have them: what a run sets while it goes on is what everybody reads, by the published SDK and by ours; nobody else's run can be set.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, PROD_KEY, TestServer } from "./harness/server.ts";

const PATIENT = { withinMs: 30_000 };
const LONG = { timeout: 90_000 };

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

async function call(method: string, path: string, { key = DEV_KEY, body }: { key?: string; body?: unknown } = {}) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await fetch(server.url + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const started = (tag: string) => ({ label: "Drawing", state: "loading", data: { done: 0, of: [tag] } });
const half = { label: "Drawing", state: "loading", data: { done: 0.5 } };
const images = (tag: string) => ({
  key: "images",
  label: "Drawn",
  state: "success",
  data: { done: 0.5 },
  history: [started(tag), half],
});
const mails = { key: "mails-7", label: "Mails", state: "failure", history: [{ label: "" }] };

describe.each<Mounting>(["published", "ours", "ours-by-push"])("statuses, SDK %s", (mounting) => {
  test("what a run tells is what is read", LONG, async () => {
    const app = await startCopiedApp({ mounting, files: ["tests/published/watched.ts"], env: server.appEnv });
    await server.api.knowsJob("draw-badly");
    const run = await server.api.runOnce("draw", { name: "watched.draw", payload: { tag: mounting } }, PATIENT);
    const statuses = [images(mounting), mails];
    expect(run.output, JSON.stringify(run.errorDetail)).toEqual({
      half: { key: "images", ...half, history: [started(mounting)] },
      drawn: images(mounting),
      seen: statuses,
    });
    for (const version of ["v1", "v2"]) {
      const read = await call("GET", `/api/${version}/runs/${run.id}/statuses`);
      expect(read.body).toEqual({ run: { id: run.id, status: "SUCCESS", output: run.output }, statuses });
      expect((await call("GET", `/api/${version}/runs/${run.id}`)).body.statuses).toEqual(statuses);
    }
    const tasks = (await server.api.tasks(run.id)).filter(({ icon }) => icon === "bell");
    expect(tasks.map(({ name, properties }) => [name, ...(properties ?? []).map(({ text }) => text)])).toEqual([
      ["Drawing", "Drawing", "loading"],
      [""],
      ["Status update"],
      ["Drawn", "Drawn", "success"],
      ["Mails", "Mails", "failure"],
    ]);
    expect(tasks[0]?.params).toEqual(started(mounting));
    const bad = await server.api.runOnce("draw-badly", { name: "watched.badly" }, PATIENT);
    expect([bad.status, JSON.stringify(bad.errorDetail)]).toEqual(["FAILURE", expect.stringMatching(/state/i)]);
    await app.stop();
  });
});

test("a status is set from outside, by all at once, and only in its own environment", LONG, async () => {
  const app = await startCopiedApp({ mounting: "ours", files: ["tests/published/watched.ts"], env: server.appEnv });
  const run = await server.api.runOnce("draw", { name: "watched.draw", payload: { tag: "outside" } }, PATIENT);
  const path = `/api/v1/runs/${run.id}/statuses/${encodeURIComponent("a/b ü")}`;
  expect(await call("PUT", path, { body: {} })).toEqual({ status: 200, body: { key: "a/b ü", label: "a/b ü", history: [] } });
  const changes = Array.from({ length: 30 }, (_, n) => call("PUT", path, { body: { data: { n } } }));
  expect((await Promise.all(changes)).map(({ status }) => status)).toEqual(Array(30).fill(200));
  const { body } = await call("PUT", path, { body: { state: "success" } });
  const told = (body.history as { data?: { n: number } }[]).flatMap(({ data }) => (data ? [data.n] : []));
  expect(told.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n));

  expect((await call("PUT", path, { key: PROD_KEY, body: { label: "mine" } })).status).toBe(404);
  expect((await call("PUT", "/api/v1/runs/run_none/statuses/x", { body: {} })).status).toBe(404);
  for (const wrong of [{ state: "done" }, { data: [1] }, { data: "x" }, { label: 7 }, []]) {
    const refused = await call("PUT", path, { body: wrong });
    expect(refused, JSON.stringify(wrong)).toMatchObject({ status: 400, body: { message: expect.any(String) } });
  }
  expect((await call("GET", `/api/v2/runs/${run.id}/statuses`)).body.statuses).toHaveLength(3);
  await app.stop();
});
