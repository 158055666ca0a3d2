// Room deliveries: a stored body as bytes, text, hex rows, or a cURL command. Pure; called by DeliveryPage and tested.
import type { DeliveryDetail } from "@holdfast/protocol";

export function decodeBase64(base64: string): Uint8Array {
  const raw = atob(base64);
  const out = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at += 1) out[at] = raw.charCodeAt(at);
  return out;
}

/** The body as text, or null when its bytes are not UTF-8 text. */
export function asText(body: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    return text.includes("\u0000") ? null : text;
  } catch {
    return null;
  }
}

const ROW = 16;
const printable = (byte: number): string => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".");

/** Offset, bytes and characters of each 16 bytes, as `hexdump -C` prints them. */
export function hexRows(body: Uint8Array, limit: number): string[] {
  const rows: string[] = [];
  for (let at = 0; at < Math.min(body.length, limit); at += ROW) {
    const row = [...body.subarray(at, at + ROW)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    rows.push(`${at.toString(16).padStart(8, "0")}  ${hex.padEnd(ROW * 3 - 1)}  ${row.map(printable).join("")}`);
  }
  return rows;
}

/** Headers a client makes itself; sending the old ones would contradict the new request. */
const OWN = new Set(["host", "content-length", "connection", "transfer-encoding", "accept-encoding", "expect"]);
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * The request as a command for a POSIX shell. A body that is not text goes through base64.
 * @example toCurl(delivery) // "curl -X POST 'http://…' \\\n  -H 'svix-id: …' \\\n  --data-raw '{…}'"
 */
export function toCurl(delivery: Pick<DeliveryDetail, "method" | "url" | "headers" | "bodyBase64">): string {
  const lines = [`curl -X ${quote(delivery.method)} ${quote(delivery.url)}`];
  for (const [name, value] of delivery.headers) if (!OWN.has(name.toLowerCase())) lines.push(`-H ${quote(`${name}: ${value}`)}`);
  if (delivery.bodyBase64 === "") return lines.join(" \\\n  ");
  const text = asText(decodeBase64(delivery.bodyBase64));
  if (text !== null) return [...lines, `--data-raw ${quote(text)}`].join(" \\\n  ");
  return `echo ${delivery.bodyBase64} | base64 -d | ${[...lines, "--data-binary @-"].join(" \\\n  ")}`;
}
