// Room: platform. Secrets at rest and API keys: the only code that sees an encryption key.
// Called by main (builds the vault) and by whoever stores or reads a secret. Promises: a sealed text opens only with the key that sealed it and for the
// purpose it was sealed for, so rows cannot be swapped; only hashes of API keys are ever compared.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { UserFacingError } from "@holdfast/protocol";

/** Seals texts for storage. `purpose` names the row and column, and must be the same on both sides. */
export interface Vault {
  /** Names the key new texts are sealed with; safe to show. */
  readonly keyId: string;
  seal(plain: string, purpose: string): string;
  open(sealed: string, purpose: string): string;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const FORMAT = "hf1";
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const API_KEY_CHARACTERS = 32;

function parseKey(text: string): Buffer {
  const trimmed = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, "hex") : Buffer.from(trimmed, "base64");
  const canonical = /^[A-Za-z0-9+/_-]{43}=?$|^[0-9a-f]{64}$/i.test(trimmed);
  if (canonical && key.length === KEY_BYTES) return key;
  throw new UserFacingError(
    "BAD_CONFIGURATION",
    "HOLDFAST_ENCRYPTION_KEY must be 32 bytes, written as base64 or as 64 hex digits.",
    "Make one with `openssl rand -base64 32` and keep it: stored secrets cannot be read without it.",
  );
}

function encrypt(key: Buffer, plain: Uint8Array, purpose: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(purpose));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, sealed: Buffer, purpose: string): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(purpose)).setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

function openWith(key: Buffer, parts: readonly string[], purpose: string): string {
  const [wrapped, body] = parts.map((part) => Buffer.from(part, "base64url"));
  const dataKey = decrypt(key, wrapped ?? Buffer.alloc(0), purpose);
  return decrypt(dataKey, body ?? Buffer.alloc(0), purpose).toString("utf8");
}

function cannotOpen(why: string): UserFacingError {
  return new UserFacingError(
    "BAD_CONFIGURATION",
    `A stored secret cannot be opened: ${why}.`,
    "Start with the HOLDFAST_ENCRYPTION_KEY it was stored with, or enter the secret again.",
  );
}

/**
 * Builds the vault. Each text gets its own random data key, which is sealed by the encryption key (AES-256-GCM both times).
 *
 * @param keys the value of HOLDFAST_ENCRYPTION_KEY; after a rotation the new key first, older ones behind it, separated by commas
 * @example const vault = createVault("7f…64 hex…"); vault.open(vault.seal("whsec_x", "endpoint:ep_1"), "endpoint:ep_1") // "whsec_x"
 */
export function createVault(keys: string): Vault {
  const ring = new Map(keys.split(",").map((text) => [keyIdOf(parseKey(text)), parseKey(text)] as const));
  const [[keyId, newest] = ["", Buffer.alloc(0)]] = ring;
  return {
    keyId,
    seal(plain, purpose) {
      const dataKey = randomBytes(KEY_BYTES);
      const parts = [encrypt(newest, dataKey, purpose), encrypt(dataKey, Buffer.from(plain), purpose)];
      return [FORMAT, keyId, ...parts.map((part) => part.toString("base64url"))].join(".");
    },
    open(sealed, purpose) {
      const [format, id, ...parts] = sealed.split(".");
      if (format !== FORMAT || parts.length !== 2) throw cannotOpen("it is not in the sealed form");
      const key = ring.get(id ?? "");
      if (!key) throw cannotOpen(`it was sealed with key ${id}, which is not the current one`);
      try {
        return openWith(key, parts, purpose);
      } catch {
        throw cannotOpen("it was altered, or belongs to another record");
      }
    },
  };
}

function keyIdOf(key: Buffer): string {
  return createHash("sha256").update("holdfast key id").update(key).digest("hex").slice(0, 8);
}

/** A fresh encryption key in the form HOLDFAST_ENCRYPTION_KEY takes. `dev` makes one; `start` insists on being given one. */
export function generateEncryptionKey(): string {
  return randomBytes(KEY_BYTES).toString("base64");
}

/** What is stored and looked up in place of an API key: its SHA-256, in hex. */
export function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** How a key is shown after its creation: `tr_dev_…k3Qz`. */
export function previewOf(key: string): string {
  return `${key.slice(0, key.lastIndexOf("_") + 1)}…${key.slice(-4)}`;
}

function randomBase62(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) if (byte < 248 && text.length < length) text += BASE62[byte % 62];
  }
  return text;
}

/**
 * A new pair of keys for an environment. The published v2 SDK insists on the `tr_` form.
 *
 * @param slug the environment's: lower-case letters only
 * @example generateApiKeys("dev") // { secretKey: "tr_dev_4fK…", publicKey: "pk_dev_Qw2…" }
 */
export function generateApiKeys(slug: string): { secretKey: string; publicKey: string } {
  if (!/^[a-z]+$/.test(slug)) {
    throw new UserFacingError("BAD_REQUEST", `An environment's slug is lower-case letters only, not "${slug}".`);
  }
  return {
    secretKey: `tr_${slug}_${randomBase62(API_KEY_CHARACTERS)}`,
    publicKey: `pk_${slug}_${randomBase62(API_KEY_CHARACTERS)}`,
  };
}
