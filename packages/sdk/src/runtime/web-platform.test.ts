// Both platforms give the same bytes: Node's modules are the measure of what stands in for them on the edge.
import { AsyncLocalStorage } from "node:async_hooks";
import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { TriggerClient } from "../client/client.ts";
import { platform as node } from "./node-platform.ts";
import { platform as web } from "./web-platform.ts";
import { platform as workerd } from "./workerd-platform.ts";

afterEach(() => vi.unstubAllGlobals());

/** Beyond a block, and beyond two. */
const texts = fc.string({ unit: "binary", maxLength: 300 });
const bytes = fc.uint8Array({ maxLength: 300 });
const plain = (given: Uint8Array) => [...given];

test("hashes are Node's", () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(web.hashed("sha256", text)).toBe(node.hashed("sha256", text));
      expect(web.hashed("sha1", text)).toBe(node.hashed("sha1", text));
    }),
  );
  for (const length of [54, 55, 56, 63, 64, 65, 119, 120]) {
    expect(web.hashed("sha256", "a".repeat(length))).toBe(node.hashed("sha256", "a".repeat(length)));
  }
});

test("signatures are Node's, by texts, by bytes and by parts of a buffer", () => {
  fc.assert(
    fc.property(fc.oneof(texts, bytes), fc.oneof(texts, bytes), (secret, message) => {
      expect(plain(web.hmacSha256(secret, message))).toEqual(plain(node.hmacSha256(secret, message)));
    }),
  );
  const part = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
  expect(plain(web.hmacSha256(part, "a"))).toEqual(plain(node.hmacSha256(part, "a")));
  expect(() => web.hmacSha256(createSecretKey(Buffer.from("hush")), "a")).toThrow("A key object works in Node only.");
});

test("bytes are written and read as Node does it", () => {
  fc.assert(
    fc.property(bytes, fc.constantFrom("hex", "base64", "base64url", "binary"), (given, encoding) => {
      const text = Buffer.from(given).toString(encoding);
      expect(plain(web.decoded(text, encoding))).toEqual(plain(given));
      expect(web.base64(given)).toBe(node.base64(given));
    }),
  );
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("hex", "base64", "base64url"), (text, encoding) => {
      expect(plain(web.decoded(text, encoding))).toEqual(plain(node.decoded(text, encoding)));
    }),
  );
  const large = new Uint8Array(100_000).map((_, at) => at);
  expect(web.base64(large)).toBe(node.base64(large));
});

test("bytes are the same only if all are, and none is left over", () => {
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      expect(web.sameBytes(one, other)).toBe(node.sameBytes(one, other));
      expect(web.sameBytes(one, one.slice())).toBe(true);
    }),
  );
  expect(web.sameBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
});

test("what code runs inside of is the runtime's own; without it jobs say what is missing", async () => {
  const none = web.storage<number>();
  expect(none.getStore()).toBeUndefined();
  expect(() => none.run(1, () => 2)).toThrow("no AsyncLocalStorage");
  vi.stubGlobal("AsyncLocalStorage", AsyncLocalStorage);
  for (const storage of [web.storage<number>(), workerd.storage<number>()]) {
    const seen = storage.run(7, async () => {
      await Promise.resolve();
      return storage.getStore();
    });
    expect(await seen).toBe(7);
  }
});

test("an app that cannot dial out is told so", async () => {
  const client = new TriggerClient({ id: "edge", apiKey: "tr_dev_edge", runtime: web.runtime });
  await expect(client.connect().ready).rejects.toMatchObject({
    code: "BAD_CONFIGURATION",
    message: expect.stringContaining("--app-url"),
  });
});

test("the environment is Node's where there is one", () => {
  vi.stubEnv("HOLDFAST_EDGE", "there");
  expect(web.runtime.env("HOLDFAST_EDGE")).toBe("there");
  vi.stubGlobal("process", undefined);
  expect(web.runtime.env("HOLDFAST_EDGE")).toBeUndefined();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});
