// Calls of the API over the stream, with a socket and requests the test speaks for: when they travel over it, and that whatever goes wrong with it costs no call.
import { partsOf, type StreamedCall, type StreamedVerdict, withBody } from "@holdfast/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { settled, VirtualRuntime } from "../../test-kit/virtual-runtime.ts";
import { TriggerClient } from "../client/client.ts";
import type { Socket, SocketEvents } from "../runtime/runtime.ts";

const KEY = "tr_dev_abc";

type Heard = StreamedCall & { body: string };

/** The server's end of one stream. */
class Line implements Socket {
  readonly calls: Heard[] = [];
  readonly awake: boolean[] = [];
  isClosed = false;

  constructor(readonly events: SocketEvents) {}

  send(text: string): void {
    const { head, body } = partsOf(text);
    const frame = JSON.parse(head) as StreamedCall | { t: "hello" };
    if (frame.t === "call") this.calls.push({ ...frame, body });
  }
  close(): void {
    this.isClosed = true;
  }
  keepAwake(awake: boolean): void {
    this.awake.push(awake);
  }
  ready(): void {
    this.events.opened();
    this.events.message(JSON.stringify({ t: "ready" } satisfies StreamedVerdict));
  }
  answer(body: object, more: { n?: number; status?: number; retryAfter?: string } = {}): void {
    const head: StreamedVerdict = { t: "answer", n: this.calls.at(-1)?.n ?? 0, status: 200, ...more };
    this.events.message(withBody(head, JSON.stringify(body)));
  }
}

let runtime: VirtualRuntime;
let lines: Line[];
let requests: { method: string; path: string; body: string }[];
let client: TriggerClient;

beforeEach(() => {
  runtime = new VirtualRuntime();
  lines = [];
  requests = [];
  runtime.dial = (_url, _headers, events) => {
    const line = new Line(events);
    lines.push(line);
    return line;
  };
  runtime.fetch = async (url, init) => {
    const body = String(init.body ?? "");
    requests.push({ method: init.method ?? "", path: new URL(url).pathname, body });
    return Response.json(body.includes('"event"') ? sent(body) : { id: "run_requested" });
  };
  client = new TriggerClient({ id: "my-app", apiKey: KEY, apiUrl: "https://server", runtime });
});

/** What the server says of an event it took. */
function sent(body: string): object {
  const { event } = JSON.parse(body) as { event: { id: string; name: string } };
  return { ...event, payload: {}, timestamp: "2026-01-01T00:00:00.000Z" };
}

/** As far as a stream that stands: four calls were requests. */
async function streaming(): Promise<Line> {
  for (let i = 0; i < 4; i++) await client.sendEvent({ name: "n" });
  const [line] = lines;
  if (!line) throw new Error("no stream was opened");
  line.ready();
  requests = [];
  return line;
}

describe("calls over the stream", () => {
  it("a few calls are requests; the fourth within a second of the one before opens it, and none waits for that", async () => {
    for (let i = 0; i < 3; i++) await client.sendEvent({ name: "n" });
    await runtime.advance(1_000);
    for (let i = 0; i < 3; i++) await client.sendEvent({ name: "n" });
    expect(lines).toHaveLength(0);
    await client.sendEvent({ name: "n" });
    expect(lines).toHaveLength(1);
    await client.sendEvent({ name: "n" });
    expect(requests).toHaveLength(8);
  });

  it("carries what a request would, and gives its answer", async () => {
    const line = await streaming();
    const event = client.sendEvent({ id: "e1", name: "paid", payload: { text: "line\nfeed" } }, { accountId: "a" });
    await settled();
    const { method, path, body } = line.calls[0] as Heard;
    expect([method, path]).toEqual(["POST", "/api/v1/events"]);
    expect(JSON.parse(body)).toEqual({
      event: { id: "e1", name: "paid", payload: { text: "line\nfeed" } },
      options: { accountId: "a" },
    });
    line.answer(sent(body));
    expect(await event).toMatchObject({ id: "e1", name: "paid", timestamp: new Date("2026-01-01") });
    const kept = client.store.env.set("k", "some text");
    await settled();
    expect(line.calls[1]).toMatchObject({ method: "PUT", headers: { "content-type": "text/plain" }, body: '"some text"' });
    line.answer({ value: '"some text"' });
    expect(await kept).toBe("some text");
    expect(requests).toEqual([]);
  });

  it("many at once are told apart by their numbers", async () => {
    const line = await streaming();
    const events = ["a", "b", "c"].map((id) => client.sendEvent({ id, name: "n" }));
    await settled();
    for (const { n, body } of [...line.calls].reverse()) line.answer(sent(body), { n });
    expect((await Promise.all(events)).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("a refusal is the server's own; one that may pass is tried again when the server says", async () => {
    const line = await streaming();
    const refused = client.getRun("run_x");
    await settled();
    line.answer({ message: "No such run.", code: "NOT_FOUND", hint: "Look again." }, { status: 404 });
    await expect(refused).rejects.toMatchObject({ code: "NOT_FOUND", message: "No such run.", hint: "Look again." });
    const event = client.sendEvent({ id: "e1", name: "n" });
    await settled();
    line.answer({ message: "Too often." }, { status: 429, retryAfter: "2" });
    await settled();
    await runtime.advance(1_900);
    expect(line.calls).toHaveLength(2);
    await runtime.advance(200);
    expect(line.calls).toHaveLength(3);
    line.answer(sent(line.calls[2]?.body ?? ""));
    expect(await event).toMatchObject({ id: "e1" });
  });

  it("when it breaks, what it had not answered is asked by requests, with the same ids", async () => {
    const line = await streaming();
    const both = [client.sendEvent({ name: "n" }), client.invokeJob("job", { a: 1 })];
    await settled();
    const bodies = line.calls.map(({ body }) => body);
    const key = line.calls[1]?.headers?.["idempotency-key"];
    line.events.closed("reset");
    await Promise.all(both);
    expect(requests.map(({ body }) => body)).toEqual(bodies);
    expect(key).toMatch(/^id-/);
    await client.sendEvent({ name: "n" });
    expect([requests.length, lines.length], "left alone for a second").toEqual([3, 1]);
  });

  it("an answer is waited for 10 s, and as long more as the server was asked to wait", async () => {
    const line = await streaming();
    const slow = client.invokeJobAndWait("job", {}, { timeoutInSeconds: 20 });
    await settled();
    expect(line.calls[0]?.headers).toMatchObject({ prefer: "wait=20" });
    await runtime.advance(28_000);
    expect(line.isClosed).toBe(false);
    line.answer({ id: "run_1", ok: true, status: "SUCCESS", output: 1 });
    expect(await slow).toMatchObject({ id: "run_1", output: 1 });
    const lost = client.sendEvent({ name: "n" });
    await runtime.advance(9_000);
    expect(requests).toHaveLength(0);
    await runtime.advance(2_000);
    await lost;
    expect([requests.length, line.isClosed]).toEqual([1, true]);
  });

  it("keeps the program alive for as long as an answer is awaited", async () => {
    const line = await streaming();
    const events = [client.sendEvent({ id: "a", name: "n" }), client.sendEvent({ id: "b", name: "n" })];
    await settled();
    expect(line.awake).toEqual([true]);
    for (const { n, body } of line.calls) line.answer(sent(body), { n });
    await Promise.all(events);
    expect(line.awake).toEqual([true, false]);
  });

  it("is closed 3 s after the last call, and opened again by the next four", async () => {
    const line = await streaming();
    await runtime.advance(2_500);
    expect(line.isClosed).toBe(false);
    await runtime.advance(2_000);
    expect(line.isClosed).toBe(true);
    for (let i = 0; i < 3; i++) await client.sendEvent({ name: "n" });
    expect(lines).toHaveLength(1);
    await client.sendEvent({ name: "n" });
    expect(lines).toHaveLength(2);
  });

  it("a process that was frozen does not trust it: no timer has fired, but the clock has gone on", async () => {
    const line = await streaming();
    runtime.time += 60_000;
    await client.sendEvent({ name: "n" });
    expect([requests.length, line.calls.length, line.isClosed]).toEqual([1, 0, true]);
  });

  it("what is large, has a long path, or is a HEAD, is a request; and so is everything once 4 MiB are without an answer", async () => {
    const line = await streaming();
    await client.sendEvent({ name: "n", payload: "x".repeat(300_000) });
    await client.store.env.has("k");
    await client.store.env.get("k".repeat(9_000));
    expect(requests.map(({ method }) => method)).toEqual(["POST", "HEAD", "GET"]);
    for (let i = 0; i < 30; i++) void client.sendEvent({ name: "n", payload: "x".repeat(200_000) });
    await settled();
    expect(line.calls).toHaveLength(20);
    expect(requests).toHaveLength(13);
  });

  it("where an older server knows no stream, all are requests, and it is asked once in ten minutes", async () => {
    for (let i = 0; i < 4; i++) await client.sendEvent({ name: "n" });
    lines[0]?.events.closed("404", { status: 404, body: "" });
    await runtime.advance(500_000);
    for (let i = 0; i < 8; i++) await client.sendEvent({ name: "n" });
    expect([requests.length, lines.length]).toEqual([12, 1]);
  });
});
