// Room: react. A watched stream while its server is restarted, or is gone without a word.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Watch } from "./watch.ts";

interface Run {
  n: number;
  over?: boolean;
}
let dials: number[];
/** What the server does with each request, in order; the last one stays. */
let plan: ((signal: AbortSignal) => Response)[];
beforeEach(() => {
  vi.useFakeTimers();
  dials = [];
  vi.stubGlobal("fetch", async (_url: string, { signal }: { signal: AbortSignal }) => {
    dials.push(Date.now());
    const next = plan.length > 1 ? plan.shift() : plan[0];
    if (!next) throw new TypeError("network error");
    return next(signal);
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const line = (run: Run) => `data: ${JSON.stringify(run)}\n\n`;
const down = (): Response => {
  throw new TypeError("network error");
};
/** A stream that says this and then ends, breaks, or says nothing any more. */
function says(text: string, then: "ends" | "breaks" | "silent") {
  return (signal: AbortSignal): Response => {
    const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      controller.enqueue(new TextEncoder().encode(text));
      signal.addEventListener("abort", () => controller.error(signal.reason));
      if (then === "ends") controller.close();
    };
    // The reader has what was said before it breaks.
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (then === "breaks") controller.error(new TypeError("network error"));
    };
    return new Response(new ReadableStream({ start, pull }, { highWaterMark: 0 }));
  };
}
const watch = () => new Watch<Run>({ url: "/x", publicApiKey: "pk_dev_x", everyMs: null, isOver: ({ over }) => over === true });

it("a stream that broke after it was heard of is opened again soon, however often the server was away before", async () => {
  plan = [down, down, down, down, says(line({ n: 1 }), "breaks"), says(line({ n: 2, over: true }), "ends")];
  const watched = watch();
  const leave = watched.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(500 + 1000 + 2000 + 4000);
  expect(watched.current().data).toEqual({ n: 1 });
  await vi.advanceTimersByTimeAsync(600);
  expect(watched.current()).toMatchObject({ data: { n: 2 }, error: null, isFetching: false });
  leave();
});

it("a stream that has fallen silent is opened again", async () => {
  plan = [says(line({ n: 1 }), "silent"), says(line({ n: 2, over: true }), "ends")];
  const watched = watch();
  const leave = watched.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(40_000);
  expect(dials).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(watched.current()).toMatchObject({ data: { n: 2 }, isFetching: false });
  leave();
});

it("whoever looks away ends the stream, and nothing is asked for any more", async () => {
  plan = [says(line({ n: 1 }), "silent")];
  const leave = watch().subscribe(() => {});
  await vi.advanceTimersByTimeAsync(100);
  leave();
  await vi.advanceTimersByTimeAsync(200_000);
  expect(dials).toHaveLength(1);
});

const missing = () => Response.json({ message: "Run not found" }, { status: 404 });

it("what is not there yet is looked for again, as v2 did, and shown when it is", async () => {
  plan = [missing, missing, says(line({ n: 1, over: true }), "ends")];
  const watched = watch();
  const leave = watched.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(100);
  expect(watched.current()).toMatchObject({ isError: true, isFetching: true, error: { message: "Run not found" } });
  await vi.advanceTimersByTimeAsync(500 + 1000);
  expect(watched.current()).toMatchObject({ data: { n: 1 }, error: null, isFetching: false });
  leave();
});

it("what was there and is gone is not looked for again", async () => {
  plan = [says(line({ n: 1 }), "ends"), missing];
  const watched = watch();
  const leave = watched.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(200_000);
  expect(watched.current()).toMatchObject({ data: { n: 1 }, isError: true, isFetching: false });
  expect(dials).toHaveLength(2);
  leave();
});

it("what was refused is asked for again when somebody looks anew, and only then", async () => {
  plan = [() => Response.json({ message: "Invalid API key" }, { status: 401 }), says(line({ n: 1, over: true }), "ends")];
  const watched = watch();
  const leave = watched.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(200_000);
  const leaveToo = watched.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(200_000);
  expect(dials).toHaveLength(1);
  leave();
  leaveToo();
  const leaveAgain = watched.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(100);
  expect(watched.current()).toMatchObject({ data: { n: 1 }, error: null, isFetching: false });
  leaveAgain();
});
