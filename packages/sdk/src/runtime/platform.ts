// Room: runtime. What the SDK needs of the place it runs in, beside the Runtime that tests replace. Imported as `#platform`, which package.json leads to
// node-platform.ts, or where there is no Node to web-platform.ts (edge functions) and workerd-platform.ts (Cloudflare).
// Promise: both give the same bytes, so that a run may begin on one and go on on the other.
import type { BinaryLike, BinaryToTextEncoding, KeyObject } from "node:crypto";
import type { Runtime } from "./runtime.ts";

/** What code runs inside of, through all that it awaits. */
export interface Storage<T> {
  getStore(): T | undefined;
  run<A extends unknown[], R>(value: T, program: (...given: A) => R, ...given: A): R;
}

export interface Platform {
  readonly runtime: Runtime;
  storage<T>(): Storage<T>;
  /** In hex, of the text's UTF-8. */
  hashed(algorithm: "sha256" | "sha1", text: string): string;
  /** @throws UserFacingError for a key object where there is no Node */
  hmacSha256(secret: BinaryLike | KeyObject, message: string | Uint8Array): Uint8Array;
  /** In constant time. */
  sameBytes(one: Uint8Array, other: Uint8Array): boolean;
  /** What is no digit is skipped in base64, and ends a text in hex. */
  decoded(text: string, encoding: BinaryToTextEncoding): Uint8Array<ArrayBuffer>;
  base64(bytes: Uint8Array): string;
}
