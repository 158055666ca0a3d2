// Room: http. The admin password: hashed once by main at start, checked at each login. scrypt, since it needs no native package.
import { createHash, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** 32 MiB and about 100 ms a check on a small machine: OWASP's scrypt profile with N = 2^15. */
const COST: ScryptOptions = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const KEY_BYTES = 32;

function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, KEY_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/**
 * Hashes a password for {@link checkPassword}. The hash lives in memory only and is the same on every server of an installation, so that sessions can
 * carry a mark of it and end when the password changes.
 *
 * @param installation what the servers share: the vault's `keyId`
 * @example await hashPassword("correct horse", vault.keyId) // "scrypt.<salt>.<key>"
 */
export async function hashPassword(password: string, installation = ""): Promise<string> {
  const salt = createHash("sha256").update(`holdfast admin ${installation}`).digest().subarray(0, 16);
  return ["scrypt", salt.toString("base64url"), (await derive(password, salt)).toString("base64url")].join(".");
}

/** Whether it is the password of that hash; takes the same time either way. */
export async function checkPassword(password: string, hash: string): Promise<boolean> {
  const [form, salt = "", key = ""] = hash.split(".");
  const expected = Buffer.from(key, "base64url");
  const given = await derive(password.slice(0, 1024), Buffer.from(salt, "base64url"));
  return form === "scrypt" && expected.length === given.length && timingSafeEqual(expected, given);
}
