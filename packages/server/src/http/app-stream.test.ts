// The stream over real sockets and a real database: reports acknowledged once on disk, calls answered as requests are, only of the key's environment.
import { EventEmitter, once } from "node:events";
import { partsOf, STREAM_PATH, type StreamedVerdict, type TaskReport } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { until } from "../../../../tests/harness/until.ts";
import { WIRE } from "../execute/fixture.test.mts";
import type { EnvironmentRow } from "../store/store.ts";
import { createHttp } from "./app.ts";
import { AppStreams } from "./app-stream.ts";
import { eventJob, type Fixture, startFixture } from "./fixture.test.mts";
import { runTokenFor } from "./run-token.test.mts";
import { answerCalls } from "./streamed-call.ts";

let server: Fixture;
let events = 0;
const opened: WebSocket[] = [];

beforeAll(async () => {
  server = await startFixture();
  const { dev, prod } = server.environments;
  for (const environment of [dev, prod])
    await server.index("shop", environment, { jobs: [eventJob("on-order", "order.placed")] });
});
afterAll(async () => {
  for (const socket of opened) socket.terminate();
  await server.stop();
});

/** A run of dev that executes, and its token. */
async function executing(): Promise<{ run: string; token: string }> {
  const id = `event-${++events}`;
  await server.api("/api/v1/events", { method: "POST", body: { event: { name: "order.placed", id } } });
  const run = (await server.api(`/api/v2/events/${id}`)).json().runs[0].id as string;
  return { run, token: await runTokenFor(server, run) };
}

const report = (key: string, more: Partial<TaskReport> = {}): TaskReport => ({
  ...{ key, id: `task_${key}`, name: "Task", status: "COMPLETED", attempt: 1, startedAgo: 5, endedAgo: 1, output: '"done"' },
  ...more,
});

/** A stream as an app has it. */
class Stream {
  readonly #heard: StreamedVerdict[] = [];
  #look = () => {};
  readonly closed: Promise<number>;

  constructor(readonly socket: WebSocket) {
    opened.push(socket);
    socket.on("message", (data) => {
      const { head, body } = partsOf(String(data));
      this.#heard.push(body === "" ? JSON.parse(head) : { ...JSON.parse(head), body: JSON.parse(body) });
      this.#look();
    });
    this.closed = new Promise((resolve) => socket.on("close", resolve));
  }

  static async open(key = server.keys.dev.secretKey, more: Record<string, string> = {}): Promise<Stream> {
    const socket = new WebSocket(server.url.replace("http", "ws") + STREAM_PATH, {
      headers: { authorization: `Bearer ${key}`, ...more },
    });
    const stream = new Stream(socket);
    await once(socket, "open");
    return stream;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }
  async hears(count: number): Promise<StreamedVerdict[]> {
    while (this.#heard.length < count) await new Promise<void>((resolve) => (this.#look = resolve));
    return this.#heard.splice(0, count);
  }
}

/** Calls the API, and hears the answer. */
async function call(stream: Stream, method: string, path: string, body: unknown = "", headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  stream.send(`${JSON.stringify({ t: "call", n: 1, method, path, headers })}\n${text}`);
  const [answer] = await stream.hears(1);
  return answer as StreamedVerdict & { t: "answer"; body: Record<string, unknown> };
}

const tasksOf = async (run: string) => (await server.store.tasks(run)).map(({ key, outputText }) => [key, outputText]);

describe("reports over the stream", () => {
  it("answers hello, and reports once they are on disk: several at once, each by its number", async () => {
    const { run, token } = await executing();
    const stream = await Stream.open();
    stream.send({ t: "hello" });
    expect(await stream.hears(1)).toEqual([{ t: "ready" }]);
    stream.send({ t: "report", x: token, n: 1, items: [report("a"), report("b")] });
    stream.send({ t: "report", x: token, n: 2, items: [report("c")] });
    const verdicts = await stream.hears(2);
    expect(verdicts).toEqual(expect.arrayContaining([1, 2].map((n) => ({ t: "ack", x: token, n }))));
    expect(await tasksOf(run)).toEqual(["a", "b", "c"].map((key) => [key, '"done"']));
  });

  it("sent again, or posted as well, a report changes nothing", async () => {
    const { run, token } = await executing();
    const stream = await Stream.open();
    stream.send({ t: "report", x: token, n: 1, items: [report("a")] });
    expect(await stream.hears(1)).toEqual([{ t: "ack", x: token, n: 1 }]);
    stream.send({ t: "report", x: token, n: 2, items: [report("a", { output: '"other"' })] });
    expect(await stream.hears(1)).toEqual([{ t: "ack", x: token, n: 2 }]);
    const body = { items: [report("a", { output: '"third"' })] };
    expect((await server.api(`/api/v1/executions/${token}/reports`, { method: "POST", body })).status).toBe(200);
    expect(await tasksOf(run)).toEqual([["a", '"done"']]);
  });

  it("says stale of an execution that is over", async () => {
    const { run, token } = await executing();
    const stream = await Stream.open();
    await server.api(`/api/v1/runs/${run}/cancel`, { method: "POST" });
    stream.send({ t: "report", x: token, n: 7, items: [report("a")] });
    expect(await stream.hears(1)).toEqual([{ t: "stale", x: token, n: 7 }]);
    expect(await tasksOf(run)).toEqual([]);
  });

  it("records nothing for another environment's run, though its token is right", async () => {
    const { run, token } = await executing();
    const stream = await Stream.open(server.keys.prod.secretKey);
    stream.send({ t: "report", x: token, n: 1, items: [report("a")] });
    stream.send({ t: "report", x: "exe_1.no-run", n: 2, items: [] });
    const refused = [token, "exe_1.no-run"].map((x, at) => ({ t: "again", x, n: at + 1 }));
    expect(await stream.hears(2)).toEqual(expect.arrayContaining(refused));
    expect(await tasksOf(run)).toEqual([]);
  });

  it("leaves a report it cannot read to the route, which says why; anything else it cannot read ends it", async () => {
    const { token } = await executing();
    const stream = await Stream.open();
    stream.send({ t: "report", x: token, n: 1, items: [{ key: "a" }] });
    expect(await stream.hears(1)).toEqual([{ t: "again", x: token, n: 1 }]);
    stream.send("<html>");
    expect(await stream.closed).toBe(1002);
  });

  it("is opened by secret keys only", async () => {
    for (const key of [server.keys.dev.publicKey, "tr_dev_0000", ""]) {
      await expect(Stream.open(key), key).rejects.toThrow("401");
    }
  });

  it("ends with its key", async () => {
    const { run, token } = await executing();
    const stream = await Stream.open();
    await server.store.catalog.saveEnvironment({ ...server.environments.dev, secretKeyHash: "rotated" });
    await server.registry.refresh();
    stream.send({ t: "report", x: token, n: 1, items: [report("a")] });
    expect(await stream.closed).toBe(1008);
    await server.store.catalog.saveEnvironment(server.environments.dev);
    await server.registry.refresh();
    expect(await tasksOf(run)).toEqual([]);
  });
});

describe("calls over the stream", () => {
  it("are answered as requests are", async () => {
    const stream = await Stream.open();
    const event = { name: "order.placed", id: "streamed", payload: { text: "line\nfeed" } };
    const taken = await call(stream, "POST", "/api/v1/events", { event });
    expect(taken).toMatchObject({ t: "answer", n: 1, status: 200, body: event });
    const found = await call(stream, "GET", "/api/v2/events/streamed");
    expect(found.body).toEqual((await server.api("/api/v2/events/streamed")).json());
    const missing = await call(stream, "GET", "/api/v2/runs/run_nowhere");
    expect([missing.status, missing.body]).toEqual([404, (await server.api("/api/v2/runs/run_nowhere")).json()]);
    for (const [path, body] of [
      ["/api/v1/events", "{"],
      ["/api/v1/events", { event: { id: 1 } }],
      ["/api/v1/events", { event: { ...event, payload: "x".repeat(11 * 1024 * 1024) } }],
      ["/api/v1/nowhere", {}],
      ["/api/v2/events/streamed", {}],
    ] as const) {
      const request = await server.api(path, { method: "POST", body: body === "{" ? undefined : body });
      const { status, body: told } = await call(stream, "POST", path, body);
      expect([status, typeof told.message], path).toEqual([body === "{" ? 400 : request.status, "string"]);
    }
  });

  it("are told URLs by the name the caller knows the server by, as requests are", async () => {
    const { run } = await executing();
    const forwarded = { "x-forwarded-proto": "https, http", "x-forwarded-host": "jobs.example.com" };
    for (const [headers, origin] of [
      [{}, server.url],
      [forwarded, "https://jobs.example.com"],
    ] as const) {
      const key = `task of ${origin}`;
      const task = { idempotencyKey: key, displayKey: key, noop: false, callback: { enabled: true, timeoutInSeconds: 60 } };
      const post = { method: "POST", body: task, headers: { ...headers, "idempotency-key": key } };
      const { callbackUrl } = (await server.api(`/api/v1/runs/${run}/tasks`, post)).json();
      expect(callbackUrl).toMatch(new RegExp(`^${origin}/`));
      const stream = await Stream.open(server.keys.dev.secretKey, headers);
      const streamed = await call(stream, "POST", `/api/v1/runs/${run}/tasks`, task, { "idempotency-key": key });
      expect(streamed.body).toMatchObject({ callbackUrl });
    }
  });

  it("know only what belongs to the key's environment, and only routes that take a secret key", async () => {
    const { run } = await executing();
    const stream = await Stream.open(server.keys.prod.secretKey);
    const headers = { authorization: `Bearer ${server.keys.dev.secretKey}` };
    expect(await call(stream, "GET", `/api/v2/runs/${run}`, "", headers)).toMatchObject({ status: 404 });
    expect(await call(stream, "POST", `/api/v1/runs/${run}/cancel`, {}, headers)).toMatchObject({ status: 404 });
    for (const path of ["/api/v1/environments", "/api/v1/environments/dev/jobs", "/api/v1/environments/prod/jobs"])
      expect(await call(stream, "GET", path, "", { ...headers, cookie: "holdfast=x" }), path).toMatchObject({ status: 403 });
    expect((await server.api(`/api/v2/runs/${run}`)).json()).not.toMatchObject({ status: "CANCELED" });
  });

  it("are no webhooks and open no streams of events", async () => {
    const { run } = await executing();
    const stream = await Stream.open();
    const deliveries = async () => (await server.api("/api/v1/environments/dev/deliveries")).text;
    const before = await deliveries();
    for (const path of ["/api/v1/http-endpoints/x/env/dev/y", "//api/v1//sources/http/x"]) {
      stream.send(`${JSON.stringify({ t: "call", n: 1, method: "POST", path })}\n{}`);
      if (path.startsWith("//")) expect(await stream.closed, "no path of the API").toBe(1002);
      else expect(await stream.hears(1)).toMatchObject([{ status: 404 }]);
    }
    expect(await deliveries()).toBe(before);
    const other = await Stream.open();
    expect(await call(other, "GET", `/api/v2/runs/${run}/stream`)).toMatchObject({ status: 406 });
  });

  it("count against the API's rate, and hear when to come back", async () => {
    const { world, registry } = server;
    const fetch = createHttp({ ...server.rooms, apiRate: { perSecond: 1, burst: 1 } });
    const answer = answerCalls(fetch);
    const [environment] = registry.environments();
    if (!environment) throw new Error("no environment");
    const ask = () =>
      answer(
        { t: "call", n: 1, method: "GET", path: "/api/v2/events/none" },
        { environment, origin: "http://server", body: "" },
        new AbortController().signal,
      );
    expect(await ask()).toMatchObject({ status: 404 });
    expect(await ask()).toMatchObject({ status: 429, retryAfter: "1" });
    expect(world.now()).toBeGreaterThan(0);
  });

  it("a caller that hangs up is not waited for", async () => {
    const stream = await Stream.open();
    const head = { t: "call", n: 1, method: "POST", path: "/api/v1/jobs/on-order/invoke", headers: { prefer: "wait=60" } };
    stream.send(`${JSON.stringify(head)}\n${JSON.stringify({ payload: {} })}`);
    await until(() => server.rooms.ends.waiting === 1, { what: () => "a call that waits" });
    stream.socket.close();
    await until(() => server.rooms.ends.waiting === 0, { what: () => "nobody waits" });
  });
});

/** As much of `ws` as a stream uses. */
class PretendedSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  isPaused = false;
  /** Verdicts the app has not read. */
  unread: (() => void)[] = [];
  sent: StreamedVerdict[] = [];
  pause = () => (this.isPaused = true);
  resume = () => (this.isPaused = false);
  closedBy: number[] = [];
  isTerminated = false;
  terminate = () => (this.isTerminated = true);
  close = (code: number) => void this.closedBy.push(code);
  send(text: string, left: () => void): void {
    this.sent.push(JSON.parse(partsOf(text).head));
    this.unread.push(left);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it("reads no further from an app that is 8 MB ahead of the disk, or does not read its verdicts", async () => {
  const recorded: (() => void)[] = [];
  const record = () => new Promise<"recorded">((resolve) => recorded.push(() => resolve("recorded")));
  const streams = new AppStreams({
    world: server.world,
    reports: { record },
    owners: { owns: async () => true },
    answerCall: async () => ({ status: 500, body: "" }),
  });
  const socket = new PretendedSocket();
  const caller = { environment: {} as EnvironmentRow, origin: "http://server", wire: WIRE, isAdmitted: () => true };
  streams.accept(socket as unknown as WebSocket, caller);
  for (const n of [1, 2]) {
    expect(socket.isPaused).toBe(false);
    socket.emit(
      "message",
      JSON.stringify({ t: "report", x: "exe_1.run", n, items: [report("a", { output: "x".repeat(5_000_000) })] }),
    );
  }
  expect(socket.isPaused).toBe(true);
  await turn();
  for (const resolve of recorded) resolve();
  await turn();
  expect(socket.sent.map(({ t }) => t)).toEqual(["ack", "ack"]);
  expect(socket.isPaused, "the verdicts are still there").toBe(true);
  for (const left of socket.unread) left();
  expect(socket.isPaused).toBe(false);
  socket.emit("close");
});

it("a server that goes away does not wait for an app that stands still", () => {
  const timers: (() => void)[] = [];
  const after = (_ms: number, fn: () => void) => {
    timers.push(fn);
    return () => {};
  };
  const world = { ...server.world, after };
  const reports = { record: async () => "recorded" as const };
  const answerCall = async () => ({ status: 500, body: "" });
  const streams = new AppStreams({ world, reports, owners: { owns: async () => true }, answerCall });
  const socket = new PretendedSocket();
  streams.accept(socket as unknown as WebSocket, {
    environment: {} as EnvironmentRow,
    origin: "http://server",
    wire: WIRE,
    isAdmitted: () => true,
  });
  timers.length = 0;
  streams.close();
  expect([socket.closedBy, socket.isTerminated]).toEqual([[1001], false]);
  for (const fire of timers) fire();
  expect(socket.isTerminated).toBe(true);
});

it("a server that goes away answers what it has read, and reads no more", async () => {
  let finish = (): void => {};
  const answers: string[] = [];
  const answerCall = ({ path }: { path: string }) => {
    answers.push(path);
    return new Promise<{ status: number; body: string }>((resolve) => (finish = () => resolve({ status: 200, body: "{}" })));
  };
  const reports = { record: async () => "recorded" as const };
  const streams = new AppStreams({ world: server.world, reports, owners: { owns: async () => true }, answerCall });
  const socket = new PretendedSocket();
  streams.accept(socket as unknown as WebSocket, {
    environment: {} as EnvironmentRow,
    origin: "http://server",
    wire: WIRE,
    isAdmitted: () => true,
  });
  const ask = (path: string) => socket.emit("message", JSON.stringify({ t: "call", n: 1, method: "POST", path }));
  ask("/api/first");
  streams.close();
  ask("/api/second");
  expect([answers, socket.closedBy]).toEqual([["/api/first"], []]);
  finish();
  await turn();
  expect(socket.sent).toMatchObject([{ t: "answer", status: 200 }]);
  for (const left of socket.unread) left();
  expect(socket.closedBy).toEqual([1001]);
  socket.emit("close");
});
