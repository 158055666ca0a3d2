// The published SDK and our server, frame by frame: between them lies a recorder, and every route, action and outcome of v2's wire must have been seen there, in the form the published
// schemas give it, in both directions. The same jobs on our SDK come to the same results.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AppInfo, RunDetail } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps } from "./harness/copied-app.ts";
import { cleanUp, ROOT } from "./harness/processes.ts";
import { APP, PATIENT, type Results, Scene } from "./harness/recorded-scene.ts";
import type { Exchange } from "./harness/recorder.ts";
import { until } from "./harness/until.ts";
import { ACTIONS, kindOf, OUTCOMES, problemsOf } from "./harness/wire-contract.ts";

const LONG = { timeout: 90_000 };
/** Asked by no method of the SDK. Driven here as those do that ask. */
const NOT_OF_THE_SDK: Record<string, string> = {
  "GET /api/v1/whoami": "the CLI",
  "GET /api/v1/endpointindex/:id": "the CLI",
  "POST /api/v1/endpoints/:id/index": "scripts that deploy",
  "GET /api/v1/endpoints/:environment/:app/index/:hook": "curl",
  "POST /api/v1/endpoints/:environment/:app/index/:hook": "platforms that deploy",
  "GET /api/v1/events/:id": "SDKs before 2.2",
  "GET /api/v1/runs/:id": "SDKs before 2.2",
  "GET /api/v1/runs/:id/statuses": "SDKs before 2.2",
  "GET /api/v2/runs/:id/stream": "our React hooks",
  "GET /api/v1/:client/auth/:integration": "the SDK, for its developer: a browser connects those",
  "POST /api/v1/accounts/:account/connections/:integration": "backends",
  "GET /api/v1/integrations/:integration/connections/:connection": "backends",
  "POST /api/v1/runs/:id/tasks/:taskId/callback/:secret": "whoever a job gave the address",
};
/** Of our SDK, which reports the steps of an execution there. */
const OURS_ONLY = "POST /api/v1/executions/:token/reports";
/** Our server has no use for them; the published SDK is asked here as v2's server asked. */
const NOT_OF_OUR_SERVER: Record<string, string> = {
  VALIDATE: "an app is known by the id it registers with, which PING checks",
  PREPROCESS_RUN: "v2's server had stopped to ask it, too",
  INITIALIZE_TRIGGER: "keys of dynamic triggers are registered by the app itself",
  PROBE_EXECUTION_TIMEOUT: "how long a host lets calls run is learned from those it cuts off",
};
/** In the first execution of each of these the network loses what it asks for, until the SDK gives up. */
async function cutOff(scene: Scene): Promise<RunDetail[]> {
  const { recorder } = scene;
  const gaveUp = (status: string) =>
    recorder.exchanges.some((exchange) => exchange.of === "app" && statusOf(exchange) === status);
  recorder.loses = ({ path, sent }) => {
    if (path.endsWith("/tasks") && sent.body.includes('"cut start"')) return !gaveUp("AUTO_YIELD_EXECUTION");
    return (
      path.endsWith("/complete") && sent.body.includes("cut end done") && !gaveUp("AUTO_YIELD_EXECUTION_WITH_COMPLETED_TASK")
    );
  };
  return Promise.all(["cut start", "cut end"].map((task) => scene.run("cut-off", { task }, task)));
}

const statusOf = ({ answered }: Exchange): string => (JSON.parse(answered.body || "{}") as { status?: string }).status ?? "";
const results = new Map<Mounting, Results>();
const recorded = new Map<Mounting, Exchange[]>();

afterAll(async () => {
  await cleanUp();
  removeCopiedApps();
});

describe.each<Mounting>(["published", "ours-by-push", "ours"])("every frame, SDK %s", (mounting) => {
  let scene: Scene;
  let cut: Promise<RunDetail[]>;

  beforeAll(async () => {
    scene = await Scene.start(mounting);
    results.set(mounting, scene.results);
    cut = cutOff(scene);
    cut.catch(() => {});
  }, 60_000);
  afterAll(async () => {
    recorded.set(mounting, scene.recorder.exchanges);
    await scene.stop();
  });

  test("a run that uses nearly all of io", LONG, async () => {
    const { backend, server, somebody } = scene;
    const { id } = await backend.sendEvent({ name: "interop.tour", payload: { order: "o1" } });
    const run = await scene.startedBy(id);
    const answered = await fetch(await somebody.hears<string>("url"), { method: "POST", body: '{"yes":true}' });
    expect(await answered.json()).toEqual({ success: true });
    const waits = async () => {
      const named = (await server.api.tasks(run)).some(({ name, status }) => name === "Wait for Event" && status === "WAITING");
      return named && (await server.api.run(run)).status === "WAITING_TO_CONTINUE";
    };
    await until(waits, { ...PATIENT, what: () => "the run to wait for an event" });
    for (const order of ["o0", "o1"]) await backend.sendEvent({ name: "interop.paid", payload: { order } });
    const ended = await scene.endOf(run, "tour");
    expect(ended.status, JSON.stringify(ended.errorDetail)).toBe("SUCCESS");
    expect(ended.output).toMatchObject({
      retried: 2,
      caught: "caught",
      branches: ["a", "b"],
      fetched: { got: "me" },
      history: 1,
    });
    expect(ended.output).toMatchObject({ outside: { answer: { yes: true }, paid: { order: "o1" }, invoked: { twice: 42 } } });
    expect(ended.output).toMatchObject({ events: { sent: { n: 1 }, many: [{}, [1]], found: "interop.nobody", at: true } });
    expect(ended.output).toMatchObject({ kept: { got: { list: [1, null] }, has: [false, true], deleted: true } });
    expect(await somebody.hears("succeeded")).toMatchObject({ job: "tour", output: { retried: 2 } });
  });

  test("executions that end badly, and dynamic schedules", LONG, async () => {
    expect((await scene.run("strict", { kind: "strict", n: "seven" })).status).toBe("INVALID_PAYLOAD");
    expect((await scene.run("unresolved", {})).status).toBe("UNRESOLVED_AUTH");
    expect(await scene.run("fails", {})).toMatchObject({ status: "FAILURE", errorDetail: { message: "as asked" } });
    expect(await scene.somebody.hears<{ job: string }>("failed", ({ job }) => job === "fails")).toMatchObject({
      status: "FAILURE",
    });
    expect((await scene.run("cancels-itself", {})).status).toBe("CANCELED");
    expect(scene.somebody.told("never")).toEqual([]);
    expect((await scene.run("plan", {})).output).toMatchObject({
      made: [{ id: "user 1/a", active: true, metadata: { m: 1 } }, { schedule: { type: "interval" } }],
      ended: { ok: true },
    });
  });

  test("a run waits for the credentials of its account", LONG, async () => {
    const sent = await scene.backend.sendEvent({ name: "interop.hosted" }, { accountId: "acme" });
    const run = await scene.startedBy(sent.id);
    await scene.server.api.reaches(run, "WAITING_ON_CONNECTIONS", PATIENT);
    const body = { type: "oauth2", accessToken: "a token", scopes: ["read"], metadata: { team: "T" } };
    const brought = await scene.ask("POST", "/api/v1/accounts/acme/connections/hosted", { body });
    const { id } = (await brought.json()) as { id: string };
    const auth = { type: "oauth2", accessToken: "a token", scopes: ["read"], additionalFields: { team: "T" } };
    expect((await scene.endOf(run, "hosted")).output).toEqual({ auth, account: "acme" });
    expect(await (await scene.ask("GET", `/api/v1/${APP}/auth/hosted?account=acme`)).json()).toEqual(auth);
    const found = await (await scene.ask("GET", `/api/v1/integrations/hosted/connections/${id}`)).json();
    expect(found).toMatchObject({ id, type: "EXTERNAL", externalAccountId: "acme", auth, integration: { slug: "hosted" } });

    const listens = await scene.run("listen", {}, "listens");
    expect(listens.output).toEqual({ active: false });
    const hook = await scene.somebody.hook("hosted by a token");
    await scene.server.api.settled("register-dynamic-trigger-hosted-topic", 1, PATIENT);
    expect(await scene.somebody.send(hook, {})).toBe(200);
    expect((await scene.newest("on-hosted-topic", 1)).output).toEqual({ auth, account: "acme" });
  });

  test("what a backend asks without tasks", LONG, async () => {
    const sent = [];
    for (let n = 0; n < 3; n++) sent.push(await scene.backend.sendEvent({ name: "interop.long" }));
    for (const { id } of sent) {
      const run = await scene.startedBy(id);
      await scene.server.api.reaches(run, "WAITING_TO_CONTINUE", PATIENT);
    }
    const asked = await scene.run("ask-around", { event: sent[0]?.id });
    expect(asked.output, JSON.stringify(asked.errorDetail)).toEqual({
      set: { label: "Own", history: [], data: { n: 1 } },
      statuses: ["EXECUTING", ["own"]],
      own: ["WAITING_TO_CONTINUE", [["wait", "WAITING"]]],
      listed: [1, true],
      invoked: ["string", true],
      ended: [1, 2],
      auth: true,
      sent: [7, true, ["text"]],
    });
    await scene.backend.store.env.set("a/key ä", { n: 1 });
    expect(await scene.backend.store.env.get("a/key ä")).toEqual({ n: 1 });
    expect(await scene.backend.store.env.has("no key")).toBe(false);
    await scene.backend.store.env.delete("a/key ä");
  });

  test("requests from outside: respondWith, a job's request, sources, webhooks, dynamic triggers", LONG, async () => {
    const { server, somebody } = scene;
    const door = await server.api.endpointUrl("door");
    const greeted = await fetch(`${door}?hello=world`);
    expect([greeted.status, greeted.headers.get("x-door"), await greeted.text()]).toEqual([200, "open", "world"]);
    const headers = { "content-type": "application/json", "x-key": "right" };
    expect((await fetch(door, { method: "POST", headers, body: '{"n":1}' })).status).toBe(200);
    const through = { body: { n: 1 }, method: "POST", type: "application/json" };
    expect((await scene.newest("through-the-door", 1)).output).toEqual(through);

    const opened = await somebody.hook("opened");
    await server.api.settled("vendor.topic-http-issues-vendor", 1, PATIENT);
    expect(await somebody.send(opened, { topic: "issues", on: "opened", n: 1 })).toBe(200);
    expect((await scene.newest("on-opened", 1)).output).toMatchObject({ payload: { n: 1, seen: 1 }, event: "opened" });
    expect(await somebody.send(await somebody.hook("pinged"), { topic: "pings", on: "pinged", n: 2 })).toBe(200);
    expect((await scene.newest("on-webhook", 1)).output).toEqual({ n: 2, id: "webhook 2" });

    const { id } = await scene.backend.sendEvent({ name: "sources.register", payload: { key: "owner/repo", topic: "dynamic" } });
    const registered = await scene.endOf(await scene.startedBy(id), "register-topic");
    expect(registered.output).toMatchObject({ active: false, trigger: "any-topic" });
    await server.api.settled("register-dynamic-trigger-any-topic", 1, PATIENT);
    const dynamic = await until(() => somebody.hooks.filter(({ topics }) => topics[0] === "opened")[1], {
      what: () => "the hook of the dynamic trigger",
    });
    expect(await somebody.send(dynamic, { topic: "dynamic", on: "opened", n: 3 })).toBe(200);
    expect((await scene.newest("on-any-topic", 1)).output).toMatchObject({
      n: 3,
      source: { id: "owner/repo" },
      account: { id: "acme" },
    });
  });

  test("what the network loses is done once it is back", LONG, async () => {
    const ended = await cut;
    expect(ended.map(({ status, output }) => [status, output])).toEqual([
      ["SUCCESS", "cut start done"],
      ["SUCCESS", "cut end done"],
    ]);
  });

  test("what only the CLI, browsers and older SDKs ask", LONG, async () => {
    const { id } = await scene.backend.sendEvent({ name: "interop.fails" });
    const run = await scene.startedBy(id);
    await scene.endOf(run, "fails");
    const whoami = (await (await scene.ask("GET", "/api/v1/whoami")).json()) as { pkApiKey: string; type: string };
    expect(whoami.type).toBe("DEVELOPMENT");
    const indexed = (await (await scene.ask("POST", `/api/v1/endpoints/${APP}/index`)).json()) as { id: string };
    const index = await (await scene.ask("GET", `/api/v1/endpointindex/${indexed.id}`)).json();
    expect(index).toMatchObject({ status: "SUCCESS", stats: { jobs: 26, sources: 1, dynamicTriggers: 2, dynamicSchedules: 1 } });
    const apps = await scene.server.api.get<AppInfo[]>("/api/v1/environments/dev/apps");
    const hook = apps.find(({ slug }) => slug === APP)?.indexHook ?? "";
    if (mounting !== "ours") for (const method of ["GET", "POST"]) expect((await scene.ask(method, hook)).status).toBe(200);
    const browser = { key: whoami.pkApiKey, headers: { origin: "https://shop.example" } };
    const paths = [`events/${id}`, `runs/${run}`, `runs/${run}/statuses`];
    for (const path of [...paths.map((path) => `v1/${path}`), ...paths.map((path) => `v2/${path}`), `v2/runs/${run}/stream`]) {
      const answer = await scene.ask("GET", `/api/${path}`, browser);
      const seen = await answer.text();
      expect([answer.status, answer.headers.get("access-control-allow-origin")], path).toEqual([200, "*"]);
      expect(seen, path).toContain("FAILURE");
    }
    expect((await scene.ask("GET", "/api/v1/whoami", browser)).status).toBe(401);
  });

  test.skipIf(mounting === "ours")("what only a server of v2 asked", LONG, async () => {
    expect(await scene.call("VALIDATE", {})).toEqual({ ok: true, endpointId: APP });
    expect(await scene.call("PROBE_EXECUTION_TIMEOUT", { timeout: 20 })).toEqual({ ok: true });
    const initialized = await scene.call("INITIALIZE_TRIGGER", { id: "any-topic", params: { topic: "t" } });
    const [executed] = scene.recorder.exchanges.filter((exchange) => kindOf(exchange) === "EXECUTE_JOB");
    const preprocessed = await scene.call("PREPROCESS_RUN", JSON.parse(executed?.sent.body ?? "{}"));
    if (mounting === "published") {
      expect(initialized).toMatchObject({ rule: { event: "opened" }, source: { key: "vendor.topic-http-t-vendor" } });
      expect(preprocessed).toMatchObject({ abort: false });
    } else {
      for (const answer of [initialized, preprocessed]) expect(answer).toEqual({ message: "Method not allowed" });
    }
  });

  // The last one: nothing may be asked for a moment.
  test("a run that asks too often", LONG, async () => {
    // Ours is never refused: its reports only end what was begun.
    const payload = { server: scene.server.url, rounds: mounting === "published" ? 1_000 : 1 };
    const { id } = await scene.backend.sendEvent({ name: "interop.too-often", payload });
    expect(await scene.somebody.hears("lines")).toBe("all lines");
    const look = () =>
      scene
        .startedBy(id)
        .then((run) => scene.endOf(run, "too-often"))
        .catch(() => null);
    expect(await until(look, { ...PATIENT, what: () => "leave to ask" })).toMatchObject({
      status: "SUCCESS",
      output: "all lines",
    });
  });
});

/** Where requests from outside come in: no part of what apps and servers say to each other. */
const OUTSIDE = /^\/api\/v1\/(http-endpoints|sources\/http)\//;

describe("the record of the published SDK", () => {
  const wire = (mounting: Mounting = "published") =>
    (recorded.get(mounting) ?? []).filter(({ answered, path }) => answered.status !== 0 && !OUTSIDE.test(path));
  const byHand = ({ sent }: Exchange) => "x-by" in sent.headers;
  /** What was asked and answered well, of whom. */
  const seen = (of: Exchange["of"], fits: (exchange: Exchange) => boolean) =>
    new Set(wire().flatMap((each) => (each.of === of && each.answered.status === 200 && fits(each) ? [kindOf(each)] : [])));

  test("has every route of docs/protocol.md, asked by the SDK or else by hand", () => {
    const page = readFileSync(join(ROOT, "docs/protocol.md"), "utf8");
    const routes = [...page.matchAll(/^\| `((?:GET|POST|PUT|DELETE) \/api\/[^`]+)`/gm)].map(([, route = ""]) => route);
    expect(routes.length).toBeGreaterThan(30);
    const bySdk = seen("server", (exchange) => !byHand(exchange));
    const others = Object.keys(NOT_OF_THE_SDK);
    const missing = routes.filter((route) => !bySdk.has(route) && !others.includes(route));
    expect(missing).toEqual([OURS_ONLY]);
    expect(others.filter((route) => !seen("server", () => true).has(route))).toEqual([]);
    expect(wire("ours-by-push").map(kindOf)).toContain(OURS_ONLY);
  });

  test("has every action, asked by our server or else by hand", () => {
    const unused = Object.keys(NOT_OF_OUR_SERVER);
    const byServer = seen("app", (exchange) => !byHand(exchange));
    expect([...byServer, ...unused].sort()).toEqual(Object.keys(ACTIONS).sort());
    expect([...seen("app", byHand)].sort()).toEqual(unused.sort());
    const auth = '{"type":"oauth2","accessToken":"a token","scopes":["read"],"additionalFields":{"team":"T"}}';
    const handed = wire().filter((exchange) => kindOf(exchange) === "DELIVER_HTTP_SOURCE_REQUEST");
    expect(new Set(handed.map(({ sent }) => sent.headers["x-ts-auth"]))).toEqual(new Set([undefined, auth]));
  });

  test("has every outcome of an execution", () => {
    const executions = wire().filter((exchange) => kindOf(exchange) === "EXECUTE_JOB" && !byHand(exchange));
    expect([...new Set(executions.map(statusOf))].sort()).toEqual([...OUTCOMES].sort());
  });

  test("has every frame in form, in both directions", () => {
    expect(wire().length).toBeGreaterThan(200);
    expect(wire().flatMap(problemsOf)).toEqual([]);
    const refused = wire().filter(({ answered }) => answered.status !== 200);
    const kinds = new Set(refused.map((exchange) => `${exchange.method} ${exchange.answered.status} ${kindOf(exchange)}`));
    expect([...kinds].sort()).toEqual([
      "GET 401 GET /api/v1/whoami",
      "GET 404 GET /api/v1/:client/auth/:integration",
      "HEAD 404 GET /api/v1/store/:key",
      "POST 429 POST /api/v1/runs/:id/tasks",
    ]);
  });

  test("is judged strictly: what is taken out of a frame is missed", () => {
    const one = (kind: string) => wire().find((each) => kindOf(each) === kind && each.answered.status === 200) as Exchange;
    const opened = one("POST /api/v1/runs/:id/tasks");
    const executed = one("EXECUTE_JOB");
    const without = (exchange: Exchange, side: "sent" | "answered", what: string): Exchange => {
      const { headers, body, ...rest } = structuredClone(exchange[side]);
      delete headers[what];
      return { ...exchange, [side]: { ...rest, headers, body: body.replaceAll(`"${what}":`, `"not ${what}":`) } };
    };
    const wrong: [Exchange, RegExp][] = [
      [without(opened, "answered", "trigger-version"), /answered with trigger-version/],
      [without(opened, "answered", "attempts"), /answered .*attempts/s],
      [without(opened, "sent", "idempotencyKey"), /asked .*idempotencyKey/s],
      [without(opened, "sent", "idempotency-key"), /asked with idempotency-key/],
      [without(opened, "sent", "authorization"), /asked with authorization/],
      [without(executed, "sent", "x-trigger-api-key"), /asked with x-trigger-api-key/],
      [without(executed, "sent", "timestamp"), /asked .*timestamp/s],
      [without(executed, "answered", "status"), /answered .*status/s],
      [without(executed, "answered", "trigger-sdk-version"), /answered with trigger-sdk-version/],
      [{ ...opened, path: "/api/v1/runs/run_1/unknown" }, /nothing of v2's wire/],
      [{ ...opened, answered: { ...opened.answered, status: 422, body: "{}" } }, /does not say why/],
      [{ ...opened, answered: { status: 429, headers: {}, body: '{"error":"e","message":"m"}' } }, /until when/],
    ];
    for (const [exchange, problem] of wrong) expect(problemsOf(exchange).join("\n")).toMatch(problem);
  });

  test("our SDK by push speaks the same API", () => {
    const asked = wire("ours-by-push").filter(({ of }) => of === "server");
    expect(asked.length).toBeGreaterThan(50);
    expect(asked.flatMap(problemsOf)).toEqual([]);
  });

  test.each<Mounting>(["ours-by-push", "ours"])("the jobs come to the same on %s", (mounting) => {
    expect(Object.keys(results.get("published") ?? {}).length).toBeGreaterThan(12);
    expect(results.get(mounting)).toEqual(results.get("published"));
  });
});
