// Typed, time-sortable ids. Everything that is stored has one; partitions, cursors and sort orders rely on their shape.
// An id is `<prefix>_` + 26 characters of lower-case Crockford base32: 48 bits of milliseconds, 10 shard bits, 70 bits of chance
// (10 + 2 + 14 characters). Byte order is time order. Making one needs a clock and chance, so the caller passes both.

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** What an id can name, and its prefix. */
export const ID_PREFIXES = {
  environment: "env",
  app: "app",
  endpoint: "ep",
  delivery: "dlv",
  event: "evt",
  run: "run",
  execution: "exe",
  schedule: "sch",
  connection: "con",
  server: "srv",
} as const;

export type IdKind = keyof typeof ID_PREFIXES;
export type Id<K extends IdKind> = `${(typeof ID_PREFIXES)[K]}_${string}`;
export type EnvironmentId = Id<"environment">;
export type AppId = Id<"app">;
export type EndpointId = Id<"endpoint">;
export type DeliveryId = Id<"delivery">;
/** Our own id of an event, unlike the id its sender gave it. */
export type EventRowId = Id<"event">;
export type RunId = Id<"run">;
/** Names one claim of a piece of work; doubles as its fencing token. */
export type ExecutionToken = Id<"execution">;
export type ServerId = Id<"server">;

function encode(value: number, length: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < length; i++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/**
 * Makes an id from a time and ten bytes of chance.
 *
 * @param kind what the id names
 * @param now epoch milliseconds
 * @param chance at least 16 random bytes
 * @example makeId("run", Date.parse("2026-01-01"), new Uint8Array(16)) // "run_01kdvsf4000000000000000000"
 */
export function makeId<K extends IdKind>(kind: K, now: number, chance: Uint8Array): Id<K> {
  let random = "";
  for (let i = 0; i < 16; i++) random += ALPHABET[(chance[i] ?? 0) & 31];
  return `${ID_PREFIXES[kind]}_${encode(now, 10)}${random}` as Id<K>;
}

/** The smallest id body (the 26 characters behind the prefix) a given time can have. Bounds of partitions and time filters. */
export function idFloor(now: number): string {
  return encode(now, 10) + "0".repeat(16);
}

/** Epoch milliseconds an id was made at. */
export function idTime(id: string): number {
  const body = id.slice(id.indexOf("_") + 1, id.indexOf("_") + 11);
  let value = 0;
  for (const char of body) value = value * 32 + ALPHABET.indexOf(char);
  return value;
}

/** True when the text has the form of an id of that kind. */
export function isId<K extends IdKind>(kind: K, text: string): text is Id<K> {
  const prefix = `${ID_PREFIXES[kind]}_`;
  return text.startsWith(prefix) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length));
}
