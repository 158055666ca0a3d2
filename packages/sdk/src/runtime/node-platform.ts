// Room: runtime. The platform where there is Node, or what has its modules, as Bun and Deno have. Imported as `#platform`.
import { AsyncLocalStorage } from "node:async_hooks";
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { Platform } from "./platform.ts";
import { realRuntime } from "./real.ts";

export const platform: Platform = {
  runtime: realRuntime,
  storage: <T>() => new AsyncLocalStorage<T>(),
  hashed: (algorithm, text) => hash(algorithm, text, "hex"),
  hmacSha256: (secret, message) => createHmac("sha256", secret).update(message).digest(),
  sameBytes: (one, other) => one.length === other.length && timingSafeEqual(one, other),
  decoded: (text, encoding) => Buffer.from(text, encoding),
  base64: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
};
