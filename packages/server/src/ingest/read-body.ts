// Room: ingest. Reads a request's bytes up to a limit. Called by receive, and by http for the bodies of its routes.
// Promises: holds at most `limit` bytes in memory; reads on for a while past it, throwing bytes away, so that the sender gets to see the answer
// instead of a broken connection; never throws, whatever the sender does.
import type { Readable } from "node:stream";

export type BodySource = Uint8Array | Readable | ReadableStream<Uint8Array> | null;

export interface ReadBody {
  /** The first `limit` bytes at most. */
  bytes: Buffer;
  /** Bytes that arrived. */
  size: number;
  /** complete: all of it is in `bytes`. cut: there was more. broken: the sender went away before the end. */
  end: "complete" | "cut" | "broken";
}

/** Bytes thrown away at most behind the limit before the answer is sent all the same. */
const DRAIN_BYTES = 64 * 1024 * 1024;

interface Sink {
  chunks: Uint8Array[];
  kept: number;
  size: number;
}

/** Keeps what fits; false once enough was thrown away. */
function take(sink: Sink, chunk: Uint8Array, limit: number): boolean {
  const room = limit - sink.kept;
  if (room > 0) {
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
    sink.chunks.push(part);
    sink.kept += part.length;
  }
  sink.size += chunk.length;
  return sink.size <= limit + DRAIN_BYTES;
}

function result(sink: Sink, broken: boolean): ReadBody {
  const [only] = sink.chunks;
  const bytes = sink.chunks.length === 1 && Buffer.isBuffer(only) ? only : Buffer.concat(sink.chunks);
  if (broken) return { bytes, size: sink.size, end: "broken" };
  return { bytes, size: sink.size, end: sink.size > sink.kept ? "cut" : "complete" };
}

// Listeners in place of `for await`: leaving an async iteration early destroys the socket, and the sender never sees the answer.
function readNode(stream: Readable, limit: number): Promise<ReadBody> {
  const sink: Sink = { chunks: [], kept: 0, size: 0 };
  if (stream.readableEnded || stream.destroyed) return Promise.resolve(result(sink, stream.destroyed && !stream.readableEnded));
  return new Promise((resolve) => {
    const finish = (broken: boolean) => (): void => {
      stream.off("data", onData).off("end", onEnd).off("close", onBroken).off("error", onBroken);
      stream.on("error", () => undefined);
      resolve(result(sink, broken));
    };
    const onEnd = finish(false);
    const onBroken = finish(true);
    const onData = (chunk: Uint8Array): void => {
      if (take(sink, chunk, limit)) return;
      stream.pause();
      onEnd();
    };
    stream.on("data", onData).on("end", onEnd).on("close", onBroken).on("error", onBroken);
  });
}

async function readWeb(stream: ReadableStream<Uint8Array>, limit: number): Promise<ReadBody> {
  const sink: Sink = { chunks: [], kept: 0, size: 0 };
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (!take(sink, next.value, limit)) break;
    }
    return result(sink, false);
  } catch {
    return result(sink, true);
  }
}

/**
 * Reads a body.
 *
 * @param limit bytes kept at most
 * @example const { bytes, end } = await readBody(incoming, 10 * 1024 * 1024); if (end === "cut") answer(413)
 */
export function readBody(source: BodySource, limit: number): Promise<ReadBody> {
  if (source === null) return Promise.resolve({ bytes: Buffer.alloc(0), size: 0, end: "complete" });
  if (source instanceof Uint8Array) {
    const sink: Sink = { chunks: [], kept: 0, size: 0 };
    take(sink, source, limit);
    return Promise.resolve(result(sink, false));
  }
  return "getReader" in source ? readWeb(source, limit) : readNode(source, limit);
}
