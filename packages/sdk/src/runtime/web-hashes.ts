// Room: runtime. SHA-256, SHA-1 and HMAC in plain arithmetic (FIPS 180-4, RFC 2104): Web Crypto only has them as promises, and the key of a task must be known
// at once. Called by web-platform.ts. Promise: as Node's, which a test compares them to.

/** Bytes of a block of either hash. */
const BLOCK = 64;

type Words = Uint32Array<ArrayBuffer>;

/** The first 32 bits of the fraction of a root of each of the first primes. */
function roots(count: number, exponent: number): Words {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return Uint32Array.from(primes, (prime) => (prime ** exponent % 1) * 2 ** 32);
}

const SHA256_START = roots(8, 1 / 2);
const SHA256_ROUNDS = roots(64, 1 / 3);
const SHA1_START = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);

const right = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));
const left = (word: number, bits: number): number => right(word, 32 - bits);

/** A one, zeros, and its length in bits, so that whole blocks come of it. */
function padded(message: Uint8Array): DataView {
  const bytes = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(bytes.length - 4, message.length * 8);
  return view;
}

/** Folds each block of a message into a state, and gives it as bytes. @param words of a block, with room for those a hash makes of them */
function digest(message: Uint8Array, state: Words, words: Words, fold: (state: Words, words: Words) => void): Uint8Array {
  const view = padded(message);
  for (let block = 0; block < view.byteLength; block += BLOCK) {
    for (let at = 0; at < 16; at++) words[at] = view.getUint32(block + at * 4);
    fold(state, words);
  }
  const bytes = new DataView(new ArrayBuffer(state.length * 4));
  for (const [at, word] of state.entries()) bytes.setUint32(at * 4, word);
  return new Uint8Array(bytes.buffer);
}

export function sha256(message: Uint8Array): Uint8Array {
  return digest(message, SHA256_START.slice(), new Uint32Array(64), foldSha256);
}

function foldSha256(state: Words, w: Words): void {
  for (let at = 16; at < 64; at++) {
    const [near, far] = [w[at - 2] as number, w[at - 15] as number];
    const one = right(near, 17) ^ right(near, 19) ^ (near >>> 10);
    const other = right(far, 7) ^ right(far, 18) ^ (far >>> 3);
    w[at] = one + (w[at - 7] as number) + other + (w[at - 16] as number);
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let at = 0; at < 64; at++) {
    const choice = (e & f) ^ (~e & g);
    const one =
      (h + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + choice + (SHA256_ROUNDS[at] as number) + (w[at] as number)) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const other = ((right(a, 2) ^ right(a, 13) ^ right(a, 22)) + majority) | 0;
    [a, b, c, d, e, f, g, h] = [(one + other) | 0, a, b, c, (d + one) | 0, e, f, g];
  }
  for (const [at, word] of [a, b, c, d, e, f, g, h].entries()) state[at] = (state[at] as number) + word;
}

export function sha1(message: Uint8Array): Uint8Array {
  return digest(message, SHA1_START.slice(), new Uint32Array(80), foldSha1);
}

function foldSha1(state: Words, w: Words): void {
  for (let at = 16; at < 80; at++) {
    w[at] = left((w[at - 3] as number) ^ (w[at - 8] as number) ^ (w[at - 14] as number) ^ (w[at - 16] as number), 1);
  }
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number];
  for (let at = 0; at < 80; at++) {
    const [mixed, round] = sha1Round(at, b, c, d);
    const next = (left(a, 5) + mixed + e + round + (w[at] as number)) | 0;
    [a, b, c, d, e] = [next, a, left(b, 30), c, d];
  }
  for (const [at, word] of [a, b, c, d, e].entries()) state[at] = (state[at] as number) + word;
}

function sha1Round(at: number, b: number, c: number, d: number): [mixed: number, round: number] {
  if (at < 20) return [(b & c) | (~b & d), 0x5a827999];
  if (at < 40) return [b ^ c ^ d, 0x6ed9eba1];
  if (at < 60) return [(b & c) | (b & d) | (c & d), 0x8f1bbcdc];
  return [b ^ c ^ d, 0xca62c1d6];
}

export function hmacSha256(secret: Uint8Array, message: Uint8Array): Uint8Array {
  const key = new Uint8Array(BLOCK);
  key.set(secret.length > BLOCK ? sha256(secret) : secret);
  const inner = joined(
    key.map((byte) => byte ^ 0x36),
    message,
  );
  return sha256(
    joined(
      key.map((byte) => byte ^ 0x5c),
      sha256(inner),
    ),
  );
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
