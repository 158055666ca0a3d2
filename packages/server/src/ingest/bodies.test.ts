import { randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBody } from "./decode-body.ts";
import { bodyOf, payloadOf } from "./payload.ts";
import { readBody } from "./read-body.ts";
import { senderIdOf } from "./sender-id.ts";
import { TokenBucket } from "./token-bucket.ts";

const MIB = 1024 * 1024;

describe("decodeBody", () => {
  const text = Buffer.from(JSON.stringify({ hello: "wörld", n: [1, 2, 3] }));

  it.each([
    ["gzip", gzipSync(text)],
    ["x-gzip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["Deflate", deflateRawSync(text)],
    ["br", brotliCompressSync(text)],
    ["identity", text],
    [undefined, text],
    ["gzip, br", brotliCompressSync(gzipSync(text))],
  ])("unpacks %s", async (encoding, bytes) => {
    expect(await decodeBody(bytes, encoding, MIB)).toEqual({ ok: true, bytes: text });
  });

  it("refuses bombs, by size and by ratio, and lets small packed bodies grow", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * MIB));
    expect(await decodeBody(bomb, "gzip", 10 * MIB)).toMatchObject({ ok: false, status: 413 });
    expect(await decodeBody(gzipSync(Buffer.alloc(5 * MIB)), "gzip", 10 * MIB)).toMatchObject({ ok: false, status: 413 });
    expect(await decodeBody(brotliCompressSync(Buffer.alloc(5 * MIB)), "br", 10 * MIB)).toMatchObject({ ok: false, status: 413 });
    expect(await decodeBody(gzipSync(Buffer.alloc(60_000)), "gzip", 10 * MIB)).toMatchObject({ ok: true });
  });

  it("refuses what is broken, unknown or packed too often", async () => {
    expect(await decodeBody(gzipSync(text).subarray(0, 20), "gzip", MIB)).toMatchObject({ ok: false, status: 400 });
    expect(await decodeBody(text, "gzip", MIB)).toMatchObject({ ok: false, status: 400 });
    expect(await decodeBody(text, "zstd", MIB)).toMatchObject({ ok: false, status: 415 });
    expect(await decodeBody(text, "__proto__", MIB)).toMatchObject({ ok: false, status: 415 });
    expect(await decodeBody(text, "gzip,gzip,gzip,gzip", MIB)).toMatchObject({ ok: false, status: 415 });
  });

  it("answers, and never more than the cap, for any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom("gzip", "deflate", "br", "gzip,br"),
        async (bytes, encoding) => {
          const decoded = await decodeBody(Buffer.from(bytes), encoding, 1000);
          if (decoded.ok) expect(decoded.bytes.length).toBeLessThanOrEqual(1000);
          else expect([400, 413]).toContain(decoded.status);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("payloadOf", () => {
  const request = (body: Uint8Array, headers: [string, string][] = []) => ({
    method: "POST",
    url: "http://h/x?a=1",
    headers,
    body,
  });

  it("keeps text as text, with a byte order mark and every character", async () => {
    const body = Buffer.from('\uFEFF{"a":"\u2028é😀"}\r\n');
    const built = await payloadOf(request(body), MIB);
    expect(built).toEqual({
      ok: true,
      payload: { url: "http://h/x?a=1", method: "POST", headers: {}, rawBody: body.toString("utf8") },
    });
  });

  it("keeps bytes that are not text beside their text", async () => {
    const built = await payloadOf(request(Buffer.from([0xff, 0x00, 0x41])), MIB);
    if (!built.ok) throw new Error(built.reason);
    expect(built.payload).toMatchObject({ rawBody: "\ufffd\0A", bodyBase64: "/wBB" });
    expect(Buffer.from(bodyOf(built.payload))).toEqual(Buffer.from([0xff, 0x00, 0x41]));
  });

  it("gives any bytes back exactly", async () => {
    for (let i = 0; i < 200; i++) {
      const body = randomBytes(i);
      const built = await payloadOf(request(body), MIB);
      expect(built.ok && Buffer.from(bodyOf(built.payload)).equals(body)).toBe(true);
    }
  });

  it("lower-cases and joins headers, drops those of the packing, and sees https behind a proxy", async () => {
    const headers: [string, string][] = [
      ["X-A", "1"],
      ["x-a", "2"],
      ["Cookie", "a=1"],
      ["cookie", "b=2"],
      ["Content-Encoding", "gzip"],
      ["Content-Length", "33"],
      ["X-Forwarded-Proto", "https, http"],
      ["__proto__", "p"],
    ];
    const built = await payloadOf(request(gzipSync(Buffer.from("{}")), headers), MIB);
    if (!built.ok) throw new Error(built.reason);
    expect(built.payload.url).toBe("https://h/x?a=1");
    expect(Object.entries(built.payload.headers)).toEqual([
      ["x-a", "1, 2"],
      ["cookie", "a=1; b=2"],
      ["x-forwarded-proto", "https, http"],
      ["__proto__", "p"],
    ]);
  });
});

describe("senderIdOf", () => {
  it("reads the sender's own id, Svix's first, and a proxy's only for v2", () => {
    expect(
      senderIdOf(
        [
          ["Webhook-Id", "w"],
          ["Svix-Id", "s"],
        ],
        { v2: false },
      ),
    ).toBe("s");
    expect(senderIdOf([["Idempotency-Key", " k "]], { v2: false })).toBe("k");
    expect(senderIdOf([["X-GitHub-Delivery", "g"]], { v2: false })).toBe("g");
    expect(senderIdOf([["x-request-id", "r"]], { v2: false })).toBeNull();
    expect(senderIdOf([["x-request-id", "r"]], { v2: true })).toBe("r");
    expect(senderIdOf([["svix-id", "  "]], { v2: true })).toBeNull();
    expect(senderIdOf([["svix-id", "x".repeat(256)]], { v2: false })).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe("readBody", () => {
  it("reads whole, cut and broken streams, keeping no more than the limit", async () => {
    const whole = new PassThrough();
    whole.end(Buffer.alloc(1000, 1));
    expect(await readBody(whole, 1000)).toMatchObject({ size: 1000, end: "complete" });
    const long = new PassThrough({ highWaterMark: 4 * MIB });
    for (let i = 0; i < 10; i++) long.write(Buffer.alloc(100_000, i));
    long.end();
    const cut = await readBody(long, 250_000);
    expect([cut.bytes.length, cut.size, cut.end]).toEqual([250_000, 1_000_000, "cut"]);
    const broken = new PassThrough();
    broken.write("half");
    const reading = readBody(broken, 1000);
    broken.destroy();
    expect(await reading).toMatchObject({ end: "broken" });
    expect(await readBody(broken, 1000)).toMatchObject({ end: "broken" });
    expect(await readBody(null, 10)).toMatchObject({ size: 0, end: "complete" });
    expect(await readBody(new Response("abc").body, 2)).toMatchObject({ size: 3, end: "cut" });
  });
});

describe("TokenBucket", () => {
  it("gives its burst at once and the rate after, and forgets nothing when the clock steps back", () => {
    let now = 1_000_000;
    const bucket = new TokenBucket(() => now, { burst: 3, perSecond: 1 });
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
    now += 1000;
    expect([bucket.take(), bucket.take()]).toEqual([true, false]);
    now -= 60_000;
    expect(bucket.take()).toBe(false);
  });
});
