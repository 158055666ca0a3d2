// Room: http. GET …/live: what changed in an environment, as server-sent events. Called by the management routes.
// Promises: of one changed thing at most one message in 100 ms, the newest; a slow reader costs a bounded amount of memory; silence is broken every 15 s.
import type { LiveMessage } from "@holdfast/protocol";
import { UserFacingError } from "@holdfast/protocol";
import type { Rooms } from "./rooms.ts";

const GATHER_MS = 100;
const HEARTBEAT_MS = 15_000;
const MOST_WAITING = 10_000;
const MOST_STREAMS = 500;
/** Bytes a reader may lag behind before news waits for it. */
const HIGH_WATER = 256 * 1024;

let open = 0;

/** What a message is about: a later one about the same thing replaces it. */
function subjectOf(message: LiveMessage): string {
  switch (message.type) {
    case "run":
    case "delivery":
      return `${message.type}:${message.id}`;
    case "tasks":
      return `tasks:${message.runId}`;
    case "apps":
      return "apps";
  }
}

/** Opens a stream of an environment's news. */
export function liveStream({ bus, world }: Pick<Rooms, "bus" | "world">, environmentId: string): Response {
  if (open >= MOST_STREAMS) throw new UserFacingError("OVERLOADED", "Too many live views are open.");
  const encoder = new TextEncoder();
  const waiting = new Map<string, LiveMessage>();
  let stop = (): void => {};
  const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    let cancelFlush: (() => void) | null = null;
    const send = (text: string): void => controller.enqueue(encoder.encode(text));
    const flush = (): void => {
      cancelFlush = null;
      if (waiting.size === 0) return;
      if ((controller.desiredSize ?? 0) > 0) {
        send([...waiting.values()].map((message) => `data: ${JSON.stringify(message)}\n\n`).join(""));
        waiting.clear();
      }
      cancelFlush = world.after(GATHER_MS, flush);
    };
    const beat = (): void => {
      send(": still here\n\n");
      cancelBeat = world.after(HEARTBEAT_MS, beat);
    };
    let cancelBeat = world.after(HEARTBEAT_MS, beat);
    const unsubscribe = bus.subscribe((news) => {
      const message = messageFor(news, environmentId);
      if (!message || waiting.size >= MOST_WAITING) return;
      waiting.set(subjectOf(message), message);
      if (!cancelFlush) flush();
    });
    send(": open\n\n");
    stop = () => {
      cancelFlush?.();
      cancelBeat();
      unsubscribe();
      open -= 1;
      stop = () => {};
    };
  };
  open += 1;
  const queue = { highWaterMark: HIGH_WATER, size: (chunk?: Uint8Array) => chunk?.byteLength ?? 0 };
  const stream = new ReadableStream<Uint8Array>({ start, cancel: () => stop() }, queue);
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
  };
  return new Response(stream, { headers });
}

function messageFor(news: Parameters<Parameters<Rooms["bus"]["subscribe"]>[0]>[0], environmentId: string): LiveMessage | null {
  if (news.type === "live") return news.environmentId === environmentId ? news.message : null;
  return news.type === "catalog" ? { type: "apps" } : null;
}
