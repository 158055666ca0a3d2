// The corners of v2's surface: what programs seldom do, and v2 had an answer to. The same jobs on the published SDK and on ours, by connect and by push, come to the same, and show the same
// tasks; where ours differs it is written here, and in docs/migrate-from-v2.md.
import type { RunDetail, TaskView } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { shown, steady } from "./harness/shown.ts";
import { Somebody } from "./harness/somebody.ts";
import { VendorOfCorners } from "./harness/vendor-of-corners.ts";

const PATIENT = { withinMs: 60_000, everyMs: 100 };
const LONG = { timeout: 90_000 };
const FILES = ["corners", "corners-more", "corners-outside"];
/** Jobs that an event starts, and nothing else is needed for. */
const ALONE = [
  ...[
    "values",
    "circle",
    "fields",
    "throws",
    "on-error",
    "waits",
    "events",
    "parallel",
    "yields-in-parallel",
    "status",
    "store",
    "random",
  ],
  ...["logs", "yields", "rethrow", "throw-object", "throw-coded", "race", "background", "plans"],
];
const results = new Map<Mounting, Record<string, unknown>>();

afterAll(async () => {
  await cleanUp();
  removeCopiedApps();
});

/** What differs from one run to the next. */
function alike(text: string, run: string): string {
  return steady(text.replaceAll(run, "RUN"))
    .replace(/127\.0\.0\.1:\d+/g, "HERE")
    .replace(/"stack":"(?:[^"\\]|\\.)*"/g, '"stack":"…"')
    .replace(/\benv_[0-9a-z]+/g, "ID")
    .replace(/("executionDurationInMs":)\d+/g, "$10")
    .replace(/"date":"[^"]*"/g, '"date":"…"')
    .replace(/("name":"random","key":"whole".*?"output":)-?\d/, '$1"N"')
    .replace(/callback\/[0-9a-f]{24}/g, "callback/SECRET");
}
/** Ours names the run in it; v2's has links into its dashboard. */
const plain = (task: TaskView): TaskView => (/^Manually Invoke/.test(task.name) ? { ...task, icon: null, properties: [] } : task);

describe.each<Mounting>(["published", "ours", "ours-by-push"])("corners, SDK %s", (mounting) => {
  let server: TestServer;
  let somebody: Somebody;
  let vendor: VendorOfCorners;
  const mine: Record<string, unknown> = {};

  beforeAll(async () => {
    results.set(mounting, mine);
    [server, somebody, vendor] = await Promise.all([TestServer.start(), Somebody.start(), VendorOfCorners.start()]);
    const env = { ...server.appEnv, NOTE_URL: somebody.url, VENDOR_URL: vendor.url };
    await startCopiedApp({ mounting, files: FILES.map((name) => `tests/published/${name}.ts`), env });
    await server.api.knowsJob("plans");
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    somebody.stop();
    vendor.stop();
  });

  const keep = async (run: RunDetail, as: string): Promise<RunDetail> => {
    const tasks = (await server.api.tasks(run.id)).map((task) => alike(JSON.stringify(shown(plain(task))), run.id)).sort();
    const { status, output, errorDetail } = run;
    const told = JSON.stringify({ status, output, error: errorDetail?.message, name: errorDetail?.name });
    mine[as] = { ...JSON.parse(alike(told, run.id)), tasks: tasks.map((text) => JSON.parse(text)) };
    return run;
  };
  const once = async (event: string, job = event): Promise<RunDetail> =>
    keep(await server.api.runOnce(job, { name: `corners.${event}`, payload: {} }, PATIENT), job);

  test.each(ALONE)("%s", LONG, async (event) => {
    const { status, errorDetail } = await once(event);
    const fails = ["rethrow", "throw-object", "throw-coded"].includes(event);
    expect(status, JSON.stringify(errorDetail)).toBe(fails ? "FAILURE" : "SUCCESS");
  });

  test("parallel tasks in parallel tasks wait, and branches that yield go on: v2's server failed the one and lost itself in the other", () => {
    expect(mine.parallel).toMatchObject({
      output: {
        nested: [
          ["a1 0.0", "a2 0.1"],
          ["b1 1.0", "b2 1.1"],
        ],
        retried: [2, 3],
      },
    });
    expect(mine["yields-in-parallel"]).toMatchObject({ output: { names: ["a", "b", "c"] } });
  });

  test("keys of every kind", LONG, async () => {
    const { output } = await once("keys", "corner-keys");
    expect(output).toMatchObject({
      empty: "empty key",
      same: expect.stringContaining('cacheKey "twice" has already been executed'),
    });
  });

  test("events with all they can say", LONG, async () => {
    const runs = await server.api.settled("got", 4, PATIENT);
    mine.got = (await Promise.all(runs.map(async ({ id }) => JSON.stringify((await server.api.run(id)).output)))).sort();
    expect(JSON.parse((mine.got as string[])[1] ?? "")).toEqual({
      payload: [1, 2],
      context: { by: "one" },
      account: "acme",
      timestamp: true,
    });
  });

  test("children whose payloads are dates, too many, or do not fit", LONG, async () => {
    expect((await once("invoke", "invokes-picky")).output).toMatchObject({ date: { n: 1, date: true }, none: [] });
    const badly = await once("invoke-badly", "invokes-badly");
    // v2's SDK looks at the payload before it invokes, and ends the parent by it.
    if (mounting === "published") expect(badly.status).toBe("INVALID_PAYLOAD");
    else expect([badly.status, badly.output]).toEqual(["SUCCESS", "INVALID_PAYLOAD"]);
    delete mine["invokes-badly"];
  });

  test("a callback of one's own", LONG, async () => {
    const ended = once("callback");
    await fetch(await somebody.hears<string>("callback"), { method: "POST", body: '{"n":1}' });
    expect((await ended).output).toEqual({ given: { n: 2 }, off: { url: null } });
  });

  test("runs and tasks, page by page", LONG, async () => {
    for (const n of [1, 2]) await server.api.runOnce("paged", { name: "corners.paged", payload: { n } }, PATIENT);
    const last = await server.api.runOnce("paged", { name: "corners.paged", payload: { n: 7 } }, PATIENT);
    const { output } = await server.api.runOnce("pages", { name: "corners.pages", payload: { run: last.id } }, PATIENT);
    mine.pages = output;
    expect(output).toMatchObject({ sizes: [2, 1], distinct: 3, pages: [3, 3, 2], held: ["Held"], bare: false, dates: true });
  });

  test("a job made apart: two names, a source, a filter of two sides, signatures", LONG, async () => {
    for (const [name, n] of [
      ["corners.apart", 1],
      ["corners.apart", 5],
      ["corners.apart.too", 3],
    ] as const)
      await server.api.post("/api/v1/events", { event: { name, source: "apart", payload: { n } } });
    const [run] = await server.api.settled("apart", 1, PATIENT);
    mine.apart = [(await server.api.runsOf("apart")).length, (await server.api.run(run?.id ?? "")).output];
    expect(mine.apart).toMatchObject([1, { n: 3, name: "corners.apart.too", version: "10.2.30", hmac: true }]);
  });

  test("an interval, tested by hand, without a time before", LONG, async () => {
    const payload = { ts: "2026-01-02T03:04:05.000Z" };
    const { id } = await server.api.post<{ id: string }>(server.api.at("/jobs/every-day/test"), { payload });
    await server.api.settled("every-day", 1, PATIENT);
    mine["every-day"] = (await server.api.run(id)).output;
    expect(mine["every-day"]).toEqual({ ts: payload.ts, last: null, event: "trigger.scheduled", test: true });
  });

  test("an event of one of two names, from a source, by its context", LONG, async () => {
    const ended = once("await", "awaits");
    const run = await somebody.hears<string>("awaits");
    await server.api.reaches(run, "WAITING_TO_CONTINUE", PATIENT);
    const events = [
      ["corners.left", "trigger.dev", "somebody", 1],
      ["corners.left", "elsewhere", "nobody", 2],
      ["corners.right", "elsewhere", "somebody", "3"],
    ] as const;
    for (const [name, source, by, n] of events)
      await server.api.post("/api/v1/events", { event: { name, source, context: { by }, payload: { run, n } } });
    expect((await ended).output).toMatchObject({
      name: "corners.right",
      n: 3,
      never: expect.stringContaining("no requests received"),
    });
    // v2's SDK gives a list as the text of a property, which is none.
    delete mine.awaits;
  });

  test("requests of every method and body", LONG, async () => {
    const url = await server.api.endpointUrl("echo-place");
    const send = (method: string, query: string, headers: Record<string, string>, body?: string | Uint8Array<ArrayBuffer>) =>
      fetch(url + query, { method, headers, ...(body === undefined ? {} : { body }) });
    const json = { "content-type": "application/json", "X-Some-Header": "value" };
    const fits = '{"list":[1,2],"deep":{"a":null}}';
    const boundary = { "content-type": "multipart/form-data; boundary=b" };
    const form =
      '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--b\r\ncontent-disposition: form-data; name="f"; filename="f.txt"\r\n\r\nfile\r\n--b--\r\n';
    const sent = [
      await send("PUT", "?q=1", json, fits),
      await send("PATCH", "?q=3&q=2", json, fits),
      await send("PUT", "?q=9", json, fits),
      await send("PUT", "?q=1", { ...json, "X-Some-Header": "other" }, fits),
      await send("POST", "?q=1", json, fits),
      await send("DELETE", "", { "X-Some-Header": "text" }, "gone ä\u0000"),
      await send("POST", "", boundary, form),
    ];
    expect(sent.map(({ status }) => status)).toEqual(sent.map(() => 200));
    const outputs = async (job: string, count: number) => {
      const runs = await server.api.settled(job, count, PATIENT);
      return (await Promise.all(runs.map(async ({ id }) => JSON.stringify((await server.api.run(id)).output)))).sort();
    };
    mine.echoes = [await outputs("echoes", 7), await outputs("echo-filtered", 2), await outputs("echo-form", 1)];
    expect((mine.echoes as string[][])[1]).toEqual([`{"method":"PATCH","json":${fits}}`, `{"method":"PUT","json":${fits}}`]);
    expect((mine.echoes as string[][])[2]).toEqual(['{"a":"1","f":"a file"}']);
  });

  test("answers of the app's own", LONG, async () => {
    const url = await server.api.endpointUrl("answers");
    const asked = async (method: string, how: string, key = "right") => {
      const answer = await fetch(url, {
        method,
        headers: { "x-answer": how, "x-key": key },
        ...(method === "GET" ? {} : { body: "said" }),
      });
      return [answer.status, answer.headers.get("x-own"), await answer.text()];
    };
    mine.answers = [
      await asked("GET", "json"),
      await asked("POST", "json"),
      await asked("POST", "json", "wrong"),
      await asked("GET", "empty"),
    ];
    expect(mine.answers).toMatchObject(
      [
        [200, "yes", /"success":true/],
        [200, "yes", /said/],
        [403, "yes", /wrong key/],
        [204, null, ""],
      ].map(([status, own]) => [status, own, expect.any(String)]),
    );
    expect((await asked("GET", "throw"))[0]).toBe(502);
    expect((await fetch(await server.api.endpointUrl("closed"), { method: "POST", body: "{}" })).status).toBe(404);
  });

  test("triggers of one's own verify what they start for, but not in a test run", LONG, async () => {
    const own = [
      { kind: "own", n: 1, key: "right" },
      { kind: "own", n: 1, key: "wrong" },
      { kind: "another", n: 1, key: "right" },
      { kind: "own", n: 0, key: "right" },
    ];
    for (const payload of own) await server.api.send({ name: "corners.own", payload });
    for (const n of ["7", "-7"])
      await server.api.post("/api/v1/events", { event: { name: "corners.whole", source: "own", payload: { n } } });
    await server.api.post(server.api.at("/jobs/own-trigger/test"), { payload: { n: -8 } });
    const ends = async (job: string, count: number) => {
      const runs = await Promise.all((await server.api.settled(job, count, PATIENT)).map(({ id }) => server.api.run(id)));
      return runs.map(({ status, output, errorDetail }) => JSON.stringify([status, output, errorDetail?.message])).sort();
    };
    expect(await ends("own-event", 2)).toEqual([
      '["FAILURE",null,"Payload verification failed. wrong key"]',
      '["SUCCESS",{"body":"own","io":true},null]',
    ]);
    expect(await ends("own-trigger", 3)).toEqual([
      '["FAILURE",null,"Payload verification failed. not positive"]',
      '["SUCCESS",{"n":-8},null]',
      '["SUCCESS",{"n":7},null]',
    ]);
  });

  test("log levels: v2's SDK records all or nothing, ours what is as grave or graver", LONG, async () => {
    await server.api.send({ name: "corners.levels" });
    const recorded: Record<string, string[]> = {};
    for (const level of ["log", "error", "warn", "info", "debug"]) {
      const [run] = await server.api.settled(`level-${level}`, 1, PATIENT);
      recorded[level] = (await server.api.tasks(run?.id ?? "")).map(({ description }) => description ?? "").sort();
    }
    const all = ["debug", "error", "info", "log", "warn"];
    const none = { log: [], error: [], warn: [] };
    const some = { log: ["log"], error: ["error", "log"], warn: ["error", "log", "warn"] };
    expect(recorded).toEqual({ ...(mounting === "published" ? none : some), info: all, debug: all });
    expect(await somebody.hears("heard")).toEqual([true, "level-info", true]);
  });

  test("whoever asked for the first event that fits is sent it, once", LONG, async () => {
    expect((await once("dispatches")).output).toEqual({ same: true });
    for (const n of [1, 2, 3]) await server.api.send({ name: "corners.other", payload: { n } });
    expect(await somebody.hears("dispatched")).toMatchObject({ name: "corners.other", payload: { n: 2 }, source: "trigger.dev" });
    expect(somebody.told("dispatched")).toHaveLength(1);
  });

  test("credentials found, thrown at, and not found", LONG, async () => {
    for (const accountId of ["acme", "key", "none", "throws"]) {
      const before = (await server.api.runsOf("resolves")).length;
      await server.api.post("/api/v1/events", { event: { name: "corners.resolves" }, options: { accountId } });
      const [run] = await server.api.settled("resolves", before + 1, PATIENT);
      const { status, output } = await server.api.run(run?.id ?? "");
      expect(status).toBe(["none", "throws"].includes(accountId) ? "UNRESOLVED_AUTH" : "SUCCESS");
      if (status === "SUCCESS") mine[`resolves ${accountId}`] = output;
    }
  });
});

describe.each<Mounting>(["ours", "ours-by-push"])("SDK %s and the published one", (mounting) => {
  const names = [...ALONE, "corner-keys", "got", "invokes-picky", "callback", "pages", "apart", "every-day", "echoes", "answers"];
  test.each([...names, "resolves acme", "resolves key"])("come to the same: %s", (name) => {
    expect(results.get(mounting)?.[name]).toEqual(results.get("published")?.[name]);
  });
});
