// Room: ingest. Undoes a request's content-encoding, for verification and the payload only: what is stored are the bytes as they came.
// Called by receive and settle. Promises: never holds more than the cap, whatever the compressed bytes promise to become; never throws.
import { type BrotliOptions, brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from "node:zlib";

export type DecodedBody = { ok: true; bytes: Buffer } | { ok: false; status: 400 | 413 | 415; reason: string };

/** A body may grow this many times over; small results are never a bomb. */
const MAX_RATIO = 100;
const ALWAYS_ALLOWED = 64 * 1024;
const MAX_LAYERS = 3;

type Unpack = (bytes: Buffer, options: ZlibOptions & BrotliOptions, done: (error: Error | null, result: Buffer) => void) => void;

/** `deflate` means zlib's form; some senders leave its header out. */
const inflateEither: Unpack = (bytes, options, done) => {
  const zlibForm = bytes.length >= 2 && ((bytes[0] ?? 0) & 0x0f) === 8 && (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % 31 === 0;
  return zlibForm ? inflate(bytes, options, done) : inflateRaw(bytes, options, done);
};
const UNPACKERS: Readonly<Record<string, Unpack>> = {
  gzip: gunzip,
  "x-gzip": gunzip,
  deflate: inflateEither,
  br: brotliDecompress,
};

/** The encodings of a request, outermost first; empty when there are none. */
export function encodingsOf(header: string | undefined): string[] {
  const names = (header ?? "").split(",").map((name) => name.trim().toLowerCase());
  return names.filter((name) => name !== "" && name !== "identity").reverse();
}

function unpack(name: string, bytes: Buffer, cap: number): Promise<DecodedBody> {
  const run = Object.hasOwn(UNPACKERS, name) ? UNPACKERS[name] : undefined;
  if (!run) {
    const known = "gzip, deflate and br";
    return Promise.resolve({
      ok: false,
      status: 415,
      reason: `The content-encoding "${name.slice(0, 40)}" is not one of ${known}.`,
    });
  }
  return new Promise((resolve) => {
    run(bytes, { maxOutputLength: cap }, (error, result) => {
      if (!error) return resolve({ ok: true, bytes: result });
      const bomb = "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
      if (bomb)
        return resolve({
          ok: false,
          status: 413,
          reason: `The body unpacks to more than ${cap} bytes, which is more than is accepted for its size.`,
        });
      return resolve({ ok: false, status: 400, reason: `The body is not valid ${name}.` });
    });
  });
}

/**
 * Unpacks a body.
 *
 * @param header the value of `content-encoding`
 * @param limit bytes the result may have at most
 * @example await decodeBody(bytes, "gzip", 10 * 1024 * 1024) // { ok: true, bytes }
 */
export async function decodeBody(bytes: Buffer, header: string | undefined, limit: number): Promise<DecodedBody> {
  const layers = encodingsOf(header);
  if (layers.length > MAX_LAYERS) return { ok: false, status: 415, reason: "The body is encoded more than three times over." };
  const cap = Math.min(limit, Math.max(bytes.length * MAX_RATIO, ALWAYS_ALLOWED));
  let current = bytes;
  if (bytes.length === 0) return { ok: true, bytes };
  for (const layer of layers) {
    const step = await unpack(layer, current, cap);
    if (!step.ok) return step;
    current = step.bytes;
  }
  return { ok: true, bytes: current };
}
