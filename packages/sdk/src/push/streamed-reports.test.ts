// Reports of pushed executions over the stream, with a socket and posts the test speaks for: what travels over it, and that whatever goes wrong with it costs no report.
import type { StreamedFrame, StreamedVerdict, TaskReport } from "@holdfast/protocol";
import { beforeEach, expect, it } from "vitest";
import { executionStart } from "../../test-kit/run-model.ts";
import { settled, VirtualRuntime } from "../../test-kit/virtual-runtime.ts";
import { TriggerClient } from "../client/client.ts";
import type { Socket, SocketEvents } from "../runtime/runtime.ts";
import { eventTrigger } from "../triggers/event-trigger.ts";

const KEY = "tr_dev_abc";

/** The server's end of one stream. */
class Line implements Socket {
  readonly frames: StreamedFrame[] = [];
  isClosed = false;

  constructor(
    readonly url: string,
    readonly headers: Record<string, string>,
    readonly events: SocketEvents,
  ) {}

  send(text: string): void {
    this.frames.push(JSON.parse(text));
  }
  close(): void {
    this.isClosed = true;
  }
  keepAwake(): void {}
  say(verdict: StreamedVerdict): void {
    this.events.message(JSON.stringify(verdict));
  }
  /** The handshake is over, and hello answered. */
  ready(): void {
    this.events.opened();
    this.say({ t: "ready" });
  }
  /** The last report that came over it. */
  get report(): StreamedFrame & { t: "report" } {
    const frame = this.frames.at(-1);
    if (frame?.t !== "report") throw new Error("no report came");
    return frame;
  }
  answer(t: "ack" | "stale" | "again"): void {
    const { x, n } = this.report;
    this.say({ t, x, n });
  }
}

let runtime: VirtualRuntime;
let lines: Line[];
/** Keys of the tasks whose ends were posted. */
let posted: (string | undefined)[];
let posts: TaskReport[];
/** Lets the next step of the job go on. */
let next: (output?: string) => void;
let app: TriggerClient;

beforeEach(() => {
  runtime = new VirtualRuntime();
  lines = [];
  posted = [];
  posts = [];
  runtime.dial = (url, headers, events) => {
    const line = new Line(url, headers, events);
    lines.push(line);
    return line;
  };
  runtime.fetch = async (_url, init) => {
    const { items } = JSON.parse(String(init.body)) as { items: TaskReport[] };
    // Long steps are shown as running, too.
    const ended = items.filter(({ status }) => status === "COMPLETED");
    posts.push(...ended);
    posted.push(...ended.map(({ displayKey }) => displayKey));
    return Response.json({ ok: true });
  };
  app = appOf({ apiUrl: "https://server/base" });
});

function appOf({ apiUrl }: { apiUrl: string }): TriggerClient {
  const client = new TriggerClient({ id: "my-app", apiKey: KEY, apiUrl, runtime });
  client.defineJob({
    id: "job",
    name: "Job",
    version: "1.0.0",
    trigger: eventTrigger({ name: "n" }),
    run: async (payload: { steps: number }, io) => {
      for (let i = 0; i < payload.steps; i++) {
        const output = new Promise<string>((resolve) => {
          next = (text = "done") => resolve(text);
        });
        await io.runTask(`step ${i}`, () => output);
      }
      return "end";
    },
  });
  return client;
}

function execute(steps: number, token = "exe_1"): Promise<unknown> {
  const start = executionStart({ token, event: { ...executionStart().event, payload: JSON.stringify({ steps }) } });
  const headers = { "x-trigger-api-key": KEY, "x-trigger-action": "EXECUTE" };
  return app.handleRequest(new Request("http://app/", { method: "POST", headers, body: JSON.stringify(start) }));
}

async function step(output?: string): Promise<void> {
  await settled();
  next(output);
  await settled();
}

/** As far as a stream that stands: four reports were posted. */
async function streaming(steps: number): Promise<{ ended: Promise<unknown>; line: Line }> {
  const ended = execute(steps);
  for (let i = 0; i < 4; i++) await step();
  const line = lines.at(-1);
  if (!line) throw new Error("no stream was opened");
  line.ready();
  return { ended, line };
}

const ENDED = { status: 200, body: { outcome: { status: "SUCCESS", output: '"end"' } } };

it("is opened for the fourth report, which does not wait for it; later ones travel over it; the end of the execution closes it", async () => {
  const ended = execute(7);
  for (let i = 0; i < 3; i++) await step();
  expect(lines).toHaveLength(0);
  await step();
  const [line] = lines as [Line];
  expect([line.url, line.headers]).toEqual(["wss://server/base/api/v1/stream", { authorization: `Bearer ${KEY}` }]);
  line.events.opened();
  expect(line.frames).toEqual([{ t: "hello" }]);
  await step();
  expect(posted, "until it is ready, all are posted").toEqual(["step 0", "step 1", "step 2", "step 3", "step 4"]);
  line.say({ t: "ready" });
  await step();
  expect(line.report).toMatchObject({ x: "exe_1", items: [{ displayKey: "step 5", status: "COMPLETED" }] });
  expect(line.frames).toHaveLength(2);
  line.answer("ack");
  await step();
  line.answer("ack");
  expect(await ended).toMatchObject(ENDED);
  expect(posted).toHaveLength(5);
  expect(line.isClosed).toBe(true);
});

it("is not opened for short executions", async () => {
  const ended = execute(3);
  for (let i = 0; i < 3; i++) await step();
  expect(await ended).toMatchObject(ENDED);
  expect(lines).toHaveLength(0);
});

it("is shared by the executions of the process, and closed with the last of them", async () => {
  const { ended, line } = await streaming(5);
  const other = execute(1, "exe_2");
  await step();
  expect(line.report.x).toBe("exe_2");
  line.answer("ack");
  expect(await other).toMatchObject(ENDED);
  expect(line.isClosed).toBe(false);
  expect(lines).toHaveLength(1);
  void ended;
});

it("says that an execution is stale", async () => {
  const { ended, line } = await streaming(6);
  await step();
  line.answer("stale");
  expect(await ended).toMatchObject({ status: 409 });
});

it("what it could not record is posted, and its times stay true", async () => {
  const { ended, line } = await streaming(6);
  await step();
  const ago = line.report.items[0]?.endedAgo ?? Number.NaN;
  await runtime.advance(3000);
  line.answer("again");
  await settled();
  expect(posts.at(-1)).toMatchObject({ displayKey: "step 4", endedAgo: ago + 3000 });
  await step();
  line.answer("ack");
  expect(await ended).toMatchObject(ENDED);
});

it("when it breaks, what it had not answered is posted; it is opened again after a pause", async () => {
  const { ended, line } = await streaming(8);
  await step();
  line.events.closed("reset");
  await settled();
  expect(posted.at(-1)).toBe("step 4");
  await step();
  expect([posted.at(-1), lines.length]).toEqual(["step 5", 1]);
  await runtime.advance(2000);
  await step();
  expect([posted.at(-1), lines.length]).toEqual(["step 6", 2]);
  lines[1]?.ready();
  await step();
  expect(lines[1]?.report.items).toMatchObject([{ displayKey: "step 7" }]);
  lines[1]?.answer("ack");
  expect(await ended).toMatchObject(ENDED);
});

it("an answer that is 10 s late is not waited for any longer", async () => {
  const { ended, line } = await streaming(5);
  await step();
  await runtime.advance(9000);
  expect(posted).toHaveLength(4);
  await runtime.advance(10_500);
  expect(posted.at(-1)).toBe("step 4");
  expect(line.isClosed).toBe(true);
  expect(await ended).toMatchObject(ENDED);
});

it("held back by a proxy it is never used, no step waits for it, and it is left alone for ten minutes", async () => {
  const ended = execute(8);
  for (let i = 0; i < 4; i++) await step();
  lines[0]?.events.opened();
  await step();
  await runtime.advance(10_000);
  expect(lines[0]?.isClosed).toBe(true);
  await step();
  await runtime.advance(599_000);
  await step();
  expect(lines).toHaveLength(1);
  await runtime.advance(2000);
  await step();
  expect(lines).toHaveLength(2);
  expect(posted).toHaveLength(8);
  expect(await ended).toMatchObject(ENDED);
});

it.each([
  ["an older server", (line: Line) => line.events.closed("404", { status: 404, body: "" })],
  ["something that speaks otherwise", (line: Line) => line.events.message("<html>")],
])("%s: left alone for ten minutes", async (_name, answer) => {
  const ended = execute(7);
  for (let i = 0; i < 4; i++) await step();
  answer(lines[0] as Line);
  await step();
  await runtime.advance(599_000);
  await step();
  expect(lines).toHaveLength(1);
  await runtime.advance(2000);
  await step();
  expect(lines).toHaveLength(2);
  expect(await ended).toMatchObject(ENDED);
});

it("where there are no WebSockets, everything is posted", async () => {
  runtime.dial = () => {
    throw new Error("not here");
  };
  const ended = execute(6);
  for (let i = 0; i < 6; i++) await step();
  expect(await ended).toMatchObject(ENDED);
  expect(posted).toHaveLength(6);
});

it("large reports are posted: small ones do not wait behind them", async () => {
  const { ended, line } = await streaming(6);
  await step("x".repeat(300_000));
  expect(posted.at(-1)).toBe("step 4");
  await step();
  expect(line.report.items).toMatchObject([{ displayKey: "step 5" }]);
  line.answer("ack");
  expect(await ended).toMatchObject(ENDED);
});
