// Room: http. GET /api/v2/runs/:id/stream: one run, again whenever it changes, as server-sent events, for pages that watch it. Called by the v2 run routes.
// Promises: the first event is the run as it is; of many changes at once the last is told; the stream ends with the run's end, whichever it is;
// a reader that does not read costs one message.
import { type ApiRun, isFinalRunStatus, UserFacingError } from "@holdfast/protocol";
import type { Rooms } from "./rooms.ts";

/** Between two looks at a run that changes all the time. */
const GATHER_MS = 200;
/** Looked at once in a while though no news came: the bus is best effort. */
const LOOK_MS = 15_000;
const MOST_STREAMS = 2_000;

let open = 0;

/** @param look reads the run; null: it is no longer kept */
export function runStream(
  { bus, world }: Pick<Rooms, "bus" | "world">,
  runId: string,
  look: () => Promise<ApiRun | null>,
): Response {
  if (open >= MOST_STREAMS) throw new UserFacingError("OVERLOADED", "Too many pages watch runs.");
  const encoder = new TextEncoder();
  let stop = (): void => {};
  const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    let [ended, looking, changed, last] = [false, false, false, ""];
    let cancelNext = (): void => {};
    const end = (): void => {
      stop();
      controller.close();
    };
    const tell = async (): Promise<void> => {
      if ((controller.desiredSize ?? 0) <= 0) {
        cancelNext = world.after(GATHER_MS, () => void tell());
        return;
      }
      looking = true;
      changed = false;
      const run = await look().catch(() => undefined);
      looking = false;
      if (ended) return;
      const text = run ? JSON.stringify(run) : "";
      // A comment keeps proxies from closing what is silent.
      controller.enqueue(encoder.encode(text && text !== last ? `data: ${text}\n\n` : ": still here\n\n"));
      last = text || last;
      if (run === null || (run && isFinalRunStatus(run.status))) return end();
      cancelNext = world.after(changed ? GATHER_MS : LOOK_MS, () => void tell());
    };
    const unsubscribe = bus.subscribe((news) => {
      if (news.type !== "live" || changed) return;
      const { message } = news;
      const about = message.type === "run" ? message.id : message.type === "tasks" ? message.runId : null;
      if (about !== runId) return;
      changed = true;
      if (looking) return;
      cancelNext();
      cancelNext = world.after(GATHER_MS, () => void tell());
    });
    stop = () => {
      if (ended) return;
      ended = true;
      cancelNext();
      unsubscribe();
      open -= 1;
    };
    void tell();
  };
  open += 1;
  const headers = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };
  return new Response(new ReadableStream<Uint8Array>({ start, cancel: () => stop() }), { headers });
}
