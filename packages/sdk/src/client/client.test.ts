// The client: definitions and the index document, credentials, calls to the API.
import { readFileSync } from "node:fs";
import { indexDocumentSchema, UserFacingError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { settled, VirtualRuntime } from "../../test-kit/virtual-runtime.ts";
import type { TriggerIntegration } from "../io/io.ts";
import { Job } from "../jobs/job.ts";
import { eventTrigger } from "../triggers/event-trigger.ts";
import { invokeTrigger } from "../triggers/invoke-trigger.ts";
import { slugifyId } from "../triggers/slug.ts";
import { SDK_VERSION } from "../version.ts";
import { TriggerClient } from "./client.ts";
import { credentials, requireKey } from "./credentials.ts";

const run = async () => {};

function indexOf(client: TriggerClient) {
  const headers = { "x-trigger-api-key": client.apiKey() ?? "", "x-trigger-action": "INDEX_ENDPOINT" };
  return client
    .handleRequest(new Request("http://app/", { method: "POST", headers }))
    .then(({ body }) => indexDocumentSchema.parse(JSON.parse(JSON.stringify(body))));
}

describe("the index document", () => {
  it("says of jobs and endpoints what v2's says", async () => {
    const client = new TriggerClient({ id: "a", apiKey: "tr_dev_x", runtime: new VirtualRuntime() });
    const endpoint = client.defineHttpEndpoint({
      id: "My Endpoint!",
      title: "T",
      source: "x.com",
      icon: "clerk",
      properties: [{ label: "a", text: "b" }],
      examples: [{ id: "x", name: "y", payload: {} }],
      verify: async () => ({ success: true }),
      respondWith: { filter: { method: ["GET"] }, skipTriggeringRuns: true, handler: async () => new Response("x") },
      answer: "verified",
    });
    const trigger = endpoint.onRequest({ filter: { body: { type: ["u"] } } });
    client.defineJob({ id: "J 1", name: "n", version: "1.0.0", trigger, run });
    const events = eventTrigger({ name: ["a", "b"], filter: { x: [1] }, source: "s", examples: [{ id: "x", name: "y" }] });
    client.attach(new Job({ id: "j2", name: "n", version: "1.0.0", trigger: events, concurrencyLimit: 3, enabled: false, run }));
    new Job({ id: "j3", name: "n", version: "1.0.0", trigger: invokeTrigger(), run }).attachToClient(client);
    const index = await indexOf(client);
    const event = {
      name: "my-endpoint",
      title: "T",
      source: "x.com",
      icon: "clerk",
      properties: [{ label: "a", text: "b" }],
      examples: [{ id: "x", name: "y", payload: {} }],
    };
    expect(index.httpEndpoints).toEqual([
      {
        id: "my-endpoint",
        version: "1",
        enabled: true,
        icon: "clerk",
        event,
        immediateResponseFilter: { method: ["GET"] },
        skipTriggeringRuns: true,
        source: "x.com",
        answer: "verified",
      },
    ]);
    expect(index.jobs[0]).toMatchObject({
      id: "j-1",
      event,
      trigger: {
        type: "static",
        title: "my-endpoint",
        properties: [{ label: "a", text: "b" }],
        rule: { event: "httpendpoint.my-endpoint", source: "x.com", payload: { body: { type: ["u"] } } },
        link: "http-endpoints/my-endpoint",
      },
      integrations: {},
      enabled: true,
      startPosition: "latest",
      preprocessRuns: false,
    });
    expect(index.jobs[1]).toMatchObject({
      id: "j2",
      enabled: false,
      concurrencyLimit: 3,
      event: { name: ["a", "b"], title: "Event", source: "s", icon: "custom-event" },
      trigger: { type: "static", title: ["a", "b"], rule: { event: ["a", "b"], source: "s", payload: { x: [1] } } },
    });
    expect(index.jobs[2]).toMatchObject({ id: "j3", trigger: { type: "invoke" }, event: { name: "invoke" } });
    expect(index.holdfast).toEqual({ sdk: SDK_VERSION });
  });

  it("says how many runs may execute at once, by job, by key and together with others", async () => {
    const client = new TriggerClient({ id: "c", apiKey: "tr_dev_x" });
    const options = { name: "n", version: "1.0.0", trigger: invokeTrigger(), run };
    const api = client.defineConcurrencyLimit({ id: "their-api", limit: 5 });
    client.defineJob({ ...options, id: "shared", concurrencyLimit: api });
    client.defineJob({ ...options, id: "both", concurrencyLimit: [2, api], concurrencyKey: "user.id", priority: "urgency" });
    const { jobs } = await indexOf(client);
    expect(jobs[0]?.concurrencyLimit).toEqual({ id: "their-api", limit: 5 });
    expect(jobs[1]).toMatchObject({
      concurrencyLimit: [2, { id: "their-api", limit: 5 }],
      concurrencyKey: "user.id",
      priority: "urgency",
    });
    expect(() => client.defineConcurrencyLimit({ id: "none", limit: 0 })).toThrow('The limit of concurrency limit "none" is 0.');
    expect(() => new Job({ ...options, id: "half", concurrencyLimit: 0.5 }).toJSON()).toThrow('The limit of job "half" is 0.5.');
  });

  it("says how often runs may start, and refuses what is no throttle when the job is defined", async () => {
    const client = new TriggerClient({ id: "c", apiKey: "tr_dev_x" });
    const options = { id: "paced", name: "n", version: "1.0.0", trigger: invokeTrigger(), run };
    client.defineJob({ ...options, throttle: { limit: 5, period: 60, burst: 2, key: "user.id" } });
    client.defineJob({ ...options, id: "plain", throttle: { limit: 1, period: 0.5 } });
    const { jobs } = await indexOf(client);
    expect(jobs.map(({ throttle }) => throttle)).toEqual([
      { limit: 5, period: 60, burst: 2, key: "user.id" },
      { limit: 1, period: 0.5 },
    ]);
    const wrong = [
      [{ limit: 0, period: 1 }, "limit is 0"],
      [{ limit: 1, period: 0 }, "period is 0"],
      [{ limit: 1, period: Number.NaN }, "period is NaN"],
      [{ limit: 1, period: 1, burst: 1.5 }, "burst is 1.5"],
      [{ limit: 1, period: 1, key: "" }, "key is empty"],
    ] as const;
    for (const [throttle, problem] of wrong)
      expect(() => new Job({ ...options, throttle })).toThrow(`The throttle of job "paced" cannot be used: its ${problem}`);
  });

  it("says which events start no runs, and refuses what is no rate limit or debounce when the job is defined", async () => {
    const client = new TriggerClient({ id: "c", apiKey: "tr_dev_x" });
    const options = { id: "picky", name: "n", version: "1.0.0", trigger: eventTrigger({ name: "e" }), run };
    client.defineJob({ ...options, rateLimit: { limit: 5, period: 60, key: "user.id" } });
    client.defineJob({ ...options, id: "last", debounce: { period: 10, timeout: 60, key: undefined } });
    const { jobs } = await indexOf(client);
    expect(jobs.map(({ rateLimit, debounce }) => rateLimit ?? debounce)).toEqual([
      { limit: 5, period: 60, key: "user.id" },
      { period: 10, timeout: 60 },
    ]);
    const wrong = [
      [{ rateLimit: { limit: 1.5, period: 1 } }, 'rateLimit of job "picky" cannot be used: its limit is 1.5'],
      [{ rateLimit: { limit: 1, period: -1 } }, 'rateLimit of job "picky" cannot be used: its period is -1'],
      [{ debounce: { period: Number.POSITIVE_INFINITY } }, 'debounce of job "picky" cannot be used: its period is Infinity'],
      [{ debounce: { period: 2, timeout: 1 } }, "its timeout is 1, and must be seconds from the period (2)"],
      [{ debounce: { period: 2, key: "" } }, "its key is empty"],
      [{ rateLimit: { limit: 1, period: 1 }, debounce: { period: 1 } }, "both rateLimit and debounce"],
    ] as const;
    for (const [limits, problem] of wrong) expect(() => new Job({ ...options, ...limits })).toThrow(problem);
  });

  it("names the version of the package", () => {
    expect(SDK_VERSION).toBe(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version);
  });
});

describe("definitions", () => {
  const options = { name: "n", trigger: invokeTrigger(), run };

  it("refuse a version that is not three numbers, as v2 does", () => {
    expect(() => new Job({ ...options, id: "a", version: "1" })).toThrow('Invalid job version: "1"');
    expect(() => new Job({ ...options, id: "", version: "1.0.0" })).toThrow("needs an id");
  });

  it("made twice warn, and the last counts", async () => {
    const runtime = new VirtualRuntime();
    const client = new TriggerClient({ id: "a", apiKey: "tr_dev_x", runtime });
    client.defineJob({ ...options, id: "a", version: "1.0.0" });
    client.defineJob({ ...options, id: "a", version: "2.0.0" });
    expect(runtime.lines).toMatchObject([{ level: "warn", message: expect.stringContaining('"a" is defined twice') }]);
    expect((await indexOf(client)).jobs.map(({ version }) => version)).toEqual(["2.0.0"]);
  });

  it("loaded anew in dev do not warn; made twice at once they do", async () => {
    const runtime = new VirtualRuntime();
    runtime.environment.HOLDFAST_DEV_CONNECT = "1";
    const client = new TriggerClient({ id: "a", runtime });
    client.defineJob({ ...options, id: "a", version: "1.0.0" });
    await settled();
    client.defineJob({ ...options, id: "a", version: "1.0.1" });
    expect(runtime.lines).toEqual([]);
    client.defineJob({ ...options, id: "a", version: "1.0.2" });
    expect(runtime.lines).toMatchObject([
      { level: "warn", message: 'The job "a" is defined twice; the last definition counts.' },
    ]);
  });

  it("register their client where `holdfast dev` finds it", () => {
    const client = new TriggerClient({ id: "found", runtime: new VirtualRuntime() });
    const registry = (globalThis as unknown as Record<symbol, Set<unknown>>)[Symbol.for("holdfast.clients")];
    expect(registry?.has(client)).toBe(true);
    expect(client.served).toBe(false);
  });

  it("describe integrations, whose credentials the app must have", () => {
    const integration: TriggerIntegration = {
      id: "resend",
      metadata: { id: "resend", name: "Resend" },
      authSource: "LOCAL",
      cloneForRun: () => integration,
    };
    const job = new Job({ ...options, id: "a", version: "1.0.0", integrations: { mail: integration } });
    expect(job.toJSON().integrations).toEqual({
      mail: { id: "resend", metadata: { id: "resend", name: "Resend" }, authSource: "LOCAL" },
    });
  });

  it("make ids of names", () => {
    expect(slugifyId("My  Endpoint!")).toBe("my-endpoint");
    expect(slugifyId("clerk.com")).toBe("clerk.com");
  });
});

describe("credentials", () => {
  const runtime = new VirtualRuntime();
  const env = (environment: Record<string, string>) => Object.assign(new VirtualRuntime(), { environment });

  it("come from options, HOLDFAST_*, then TRIGGER_*", () => {
    const both = env({ HOLDFAST_API_KEY: "h", TRIGGER_API_KEY: "t", TRIGGER_API_URL: "http://t/" });
    expect(credentials({}, both)).toEqual({ apiKey: "h", apiUrl: "http://t" });
    expect(credentials({ apiKey: "o", apiUrl: "http://o//" }, both)).toEqual({ apiKey: "o", apiUrl: "http://o" });
    expect(credentials({}, env({ TRIGGER_API_KEY: "t" }))).toEqual({ apiKey: "t", apiUrl: "http://127.0.0.1:3040" });
    expect(credentials({}, runtime).apiKey).toBeUndefined();
  });

  it("are refused in words that help and do not show the key", () => {
    const refused = (apiKey?: string) => {
      try {
        return requireKey({ apiKey, apiUrl: "" });
      } catch (error) {
        return error as UserFacingError;
      }
    };
    expect(refused("tr_dev_abc123")).toBe("tr_dev_abc123");
    expect(refused()).toMatchObject({ code: "UNAUTHORIZED", message: "Missing API key." });
    expect(refused("pk_dev_x")).toMatchObject({ message: expect.stringContaining("public key") });
    const bad = refused("tr_dev_my-part") as UserFacingError;
    expect(`${bad.message} ${bad.hint}`).not.toContain("my-part");
  });
});

describe("calls", () => {
  function client(answers: (Response | Error)[]) {
    const runtime = new VirtualRuntime();
    const calls: { method: string; url: string; body: Record<string, unknown> }[] = [];
    runtime.fetch = async (url, init) => {
      calls.push({ method: String(init.method), url, body: init.body ? JSON.parse(String(init.body)) : undefined });
      const answer = answers.shift();
      if (answer instanceof Response) return answer;
      throw answer ?? new Error("no answer left");
    };
    return { runtime, calls, client: new TriggerClient({ id: "a", apiKey: "tr_dev_x", apiUrl: "http://s/", runtime }) };
  }
  const sent = {
    id: "id-1",
    name: "n",
    payload: {},
    timestamp: "2026-01-01T00:00:00.000Z",
    deliverAt: "2026-01-02T00:00:00.000Z",
  };

  it("send events with an id, the same on every try", async () => {
    const given = client([new Error("reset"), new Response("", { status: 503 }), Response.json(sent)]);
    const promise = given.client.sendEvent({ name: "n" }, { accountId: "acc" });
    for (let i = 0; i < 10; i++) await given.runtime.advance(1000);
    const event = await promise;
    expect(event.timestamp).toEqual(new Date("2026-01-01T00:00:00.000Z"));
    expect(event.deliverAt).toEqual(new Date("2026-01-02T00:00:00.000Z"));
    expect(given.calls.map(({ method, url, body }) => [method, url, body.event, body.options])).toEqual(
      Array.from({ length: 3 }, () => [
        "POST",
        "http://s/api/v1/events",
        { name: "n", payload: {}, id: "id-1" },
        { accountId: "acc" },
      ]),
    );
  });

  it("wait as long as a 429 asks", async () => {
    const given = client([new Response("", { status: 429, headers: { "retry-after": "20" } }), Response.json([sent])]);
    let done = false;
    const promise = given.client.sendEvents([{ name: "n", id: "mine" }]).finally(() => {
      done = true;
    });
    await settled();
    await given.runtime.advance(19_999);
    expect(done).toBe(false);
    await given.runtime.advance(1);
    expect((await promise)[0]?.id).toBe("id-1");
    expect(given.calls[0]?.url).toBe("http://s/api/v1/events/bulk");
  });

  it("throw the server's words, at once for a refusal", async () => {
    const body = { error: "No run has the id x.", message: "No run has the id x.", code: "NOT_FOUND", hint: "List them." };
    const given = client([Response.json(body, { status: 404 }), new Response("oops", { status: 400 })]);
    await expect(given.client.getRun("x")).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: body.message,
      hint: "List them.",
    });
    await expect(given.client.getRun("x")).rejects.toBeInstanceOf(UserFacingError);
    expect(given.calls).toHaveLength(2);
  });

  it("say which server cannot be reached, and what to do", async () => {
    const given = client([]);
    const promise = given.client.cancelRun("x").catch((error: unknown) => error);
    for (let i = 0; i < 20; i++) await given.runtime.advance(1000);
    expect(await promise).toMatchObject({
      message: expect.stringContaining("http://s"),
      hint: expect.stringContaining("holdfast dev"),
    });
    expect(given.calls).toHaveLength(5);
  });

  it("read events and runs, with dates", async () => {
    const task = {
      id: "t",
      name: "T",
      displayKey: null,
      status: "COMPLETED",
      icon: null,
      startedAt: sent.timestamp,
      completedAt: null,
    };
    const detail = {
      id: "r",
      status: "SUCCESS",
      startedAt: sent.timestamp,
      updatedAt: null,
      completedAt: null,
      tasks: [{ ...task, subtasks: [task] }],
      statuses: [],
      output: 1,
    };
    const event = {
      id: "e",
      name: "n",
      createdAt: sent.timestamp,
      updatedAt: sent.timestamp,
      runs: [{ id: "r", status: "SUCCESS" }],
    };
    const given = client([
      Response.json(detail),
      Response.json({ runs: [detail], nextCursor: "c" }),
      Response.json(event),
      Response.json(detail),
    ]);
    const found = await given.client.getRun("r", { subtasks: true, take: 5 });
    expect(found.startedAt).toEqual(new Date(sent.timestamp));
    expect(found.tasks[0]?.subtasks?.[0]?.startedAt).toEqual(new Date(sent.timestamp));
    expect((await given.client.getRuns("my job", { cursor: "c" })).nextCursor).toBe("c");
    expect((await given.client.getEvent("e/1")).createdAt).toEqual(new Date(sent.timestamp));
    await given.client.cancelRun("r");
    expect(given.calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET http://s/api/v2/runs/r?subtasks=true&take=5",
      "GET http://s/api/v1/jobs/my%20job/runs?cursor=c",
      "GET http://s/api/v2/events/e%2F1",
      "POST http://s/api/v1/runs/r/cancel",
    ]);
  });
});
