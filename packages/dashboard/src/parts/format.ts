// Room parts: numbers, times and bytes as people read them. Pure; called by every screen.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const two = (value: number): string => String(value).padStart(2, "0");

/** @example duration(6400) // "6.4s" */
export function duration(ms: number): string {
  if (ms < 0) return "0ms";
  if (ms < SECOND) return `${Math.round(ms)}ms`;
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m ${two(Math.floor((ms % MINUTE) / SECOND))}s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h ${two(Math.floor((ms % HOUR) / MINUTE))}m`;
  return `${Math.floor(ms / DAY)}d ${Math.floor((ms % DAY) / HOUR)}h`;
}

/** @example ago(0, 65_000) // "1m ago" */
export function ago(at: number, now: number): string {
  const distance = now - at;
  if (Math.abs(distance) < 5 * SECOND) return "now";
  const text = coarse(Math.abs(distance));
  return distance > 0 ? `${text} ago` : `in ${text}`;
}

function coarse(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h`;
  return `${Math.floor(ms / DAY)}d`;
}

/** Time until `at`, never negative. */
export const countdown = (at: number, now: number): string => duration(Math.ceil(Math.max(0, at - now) / SECOND) * SECOND);

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const HOUR_ONLY = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Local wall time with milliseconds, for logs. */
export const clockTime = (iso: string): string => `${CLOCK.format(new Date(iso))}.${iso.slice(20, 23).padEnd(3, "0")}`;
export const hourTime = (iso: string): string => HOUR_ONLY.format(new Date(iso));
/** Local and UTC, for a tooltip. */
export const fullTime = (iso: string): string => `${FULL.format(new Date(iso))}\n${iso}`;

/** @example bytes(20_480) // "20.0 kB" */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1_000).toFixed(1)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

export const count = (value: number): string => value.toLocaleString("en").replaceAll(",", " ");
export const plural = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

/** The tail of an id, enough to tell rows apart. */
export const shortId = (id: string): string => (id.length > 14 ? `…${id.slice(-8)}` : id);
