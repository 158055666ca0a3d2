// The report stream over real sockets and a real database: acknowledged once on disk, only for runs of the key's environment, and never more than is asked for.
import { EventEmitter, once } from "node:events";
import { REPORT_STREAM_PATH, type StreamedVerdict, type TaskReport } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { WIRE } from "../execute/fixture.test.mts";
import type { EnvironmentRow } from "../store/store.ts";
import { eventJob, type Fixture, startFixture } from "./fixture.test.mts";
import { ReportStreams } from "./report-stream.ts";
import { runTokenFor } from "./run-token.test.mts";

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
      this.#heard.push(JSON.parse(String(data)));
      this.#look();
    });
    this.closed = new Promise((resolve) => socket.on("close", resolve));
  }

  static async open(key = server.keys.dev.secretKey): Promise<Stream> {
    const socket = new WebSocket(server.url.replace("http", "ws") + REPORT_STREAM_PATH, {
      headers: { authorization: `Bearer ${key}` },
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

const tasksOf = async (run: string) => (await server.store.tasks(run)).map(({ key, outputText }) => [key, outputText]);

describe("the report stream", () => {
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
    expect(await tasksOf(run)).toEqual([]);
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
  send(text: string, left: () => void): void {
    this.sent.push(JSON.parse(text));
    this.unread.push(left);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it("reads no further from an app that is 8 MB ahead of the disk, or does not read its verdicts", async () => {
  const recorded: (() => void)[] = [];
  const record = () => new Promise<"recorded">((resolve) => recorded.push(() => resolve("recorded")));
  const streams = new ReportStreams({ world: server.world, reports: { record }, owners: { owns: async () => true } });
  const socket = new PretendedSocket();
  const caller = { environment: {} as EnvironmentRow, wire: WIRE, isAdmitted: () => true };
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
