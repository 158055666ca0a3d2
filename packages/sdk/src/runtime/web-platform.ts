// Room: runtime. The platform where there is no Node, only what browsers have, as in edge functions. Imported as `#platform`, by those bundlers alone.
// Hashes are a library's: Web Crypto only has them as promises, and the key of a task must be known at once.
// Promise: nothing of the surroundings is touched while modules load; what cannot be done says so when it is asked for.
import type { BinaryLike, BinaryToTextEncoding, KeyObject } from "node:crypto";
import { UserFacingError } from "@holdfast/protocol";
import { hmac } from "@noble/hashes/hmac.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Platform, Storage } from "./platform.ts";
import { webRuntime } from "./web-runtime.ts";

type StorageClass = new <T>() => Storage<T>;

/** Edge runtimes have Node's class as a global. */
function globalStorage<T>(): Storage<T> {
  const { AsyncLocalStorage } = globalThis as { AsyncLocalStorage?: StorageClass };
  return AsyncLocalStorage ? new AsyncLocalStorage<T>() : { getStore: () => undefined, run: noStorage };
}

function noStorage(): never {
  const hint = "Serve this app's jobs where it is a global or Node's modules are there (Cloudflare: the flag nodejs_compat).";
  throw new UserFacingError("BAD_CONFIGURATION", "This runtime has no AsyncLocalStorage, without which jobs cannot run.", hint);
}

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function bytesOf(given: BinaryLike | KeyObject): Uint8Array {
  if (typeof given === "string") return new TextEncoder().encode(given);
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  throw new UserFacingError("BAD_CONFIGURATION", "A key object works in Node only.", "Give the secret as text or as bytes.");
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) difference |= (one[at] ?? 0) ^ (other[at] ?? 0);
  return difference === 0;
}

function decoded(text: string, encoding: BinaryToTextEncoding): Uint8Array<ArrayBuffer> {
  if (encoding === "hex") {
    const [pairs = ""] = /^(?:[0-9a-f]{2})*/i.exec(text) ?? [];
    return Uint8Array.from({ length: pairs.length / 2 }, (_, at) => Number.parseInt(pairs.slice(at * 2, at * 2 + 2), 16));
  }
  return Uint8Array.from(encoding === "binary" ? text : atob(plainBase64(text)), (character) => character.charCodeAt(0));
}

/** As `atob` takes it: one alphabet, nothing between, whole bytes only. */
function plainBase64(text: string): string {
  const [words = ""] = text.split("=", 1);
  const digits = words
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .replace(/[^A-Za-z0-9+/]/g, "");
  return digits.length % 4 === 1 ? digits.slice(0, -1) : digits;
}

/** Characters a call may take as its arguments. */
const CHUNK = 8192;

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}

export const platform: Platform = {
  runtime: webRuntime,
  storage: globalStorage,
  hashed: (algorithm, text) => hex((algorithm === "sha256" ? sha256 : sha1)(bytesOf(text))),
  hmacSha256: (secret, message) => hmac(sha256, bytesOf(secret), bytesOf(message)),
  sameBytes,
  decoded,
  base64,
};
