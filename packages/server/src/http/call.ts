// Room: http. One request as a handler sees it: who asks, what for, and how to answer. Built by app.ts once access is granted.
// Promises: text taken from the URL holds no NUL, which PostgreSQL would refuse.
import { type ErrorCode, UserFacingError } from "@holdfast/protocol";
import type { Context } from "hono";
import type { EnvironmentRow } from "../store/store.ts";
import type { Rooms } from "./rooms.ts";

/** Who was let in, and as what. */
export interface Caller {
  /** The environment of the key shown, or the one the path names. */
  environment: EnvironmentRow | null;
  /** session: a person (or anyone on this machine, in dev). */
  by: "nobody" | "session" | "secretKey" | "publicKey";
}

export class Call {
  constructor(
    readonly rooms: Rooms,
    readonly context: Context,
    readonly caller: Caller,
  ) {}

  get environment(): EnvironmentRow {
    if (this.caller.environment) return this.caller.environment;
    throw new UserFacingError("NOT_FOUND", "There is no such environment.");
  }

  param(name: string): string {
    return clean(this.context.req.param(name) ?? "");
  }

  query(name: string): string | undefined {
    const value = this.context.req.query(name);
    return value === undefined || value === "" ? undefined : clean(value);
  }

  queries(name: string): string[] {
    return (this.context.req.queries(name) ?? []).map(clean).filter((value) => value !== "");
  }

  header(name: string): string | undefined {
    return this.context.req.header(name);
  }

  /** A whole number of the query, held to the bounds. */
  number(name: string, bounds: { otherwise: number; most: number }): number {
    const text = this.query(name);
    if (text === undefined) return bounds.otherwise;
    if (!/^\d{1,9}$/.test(text) || Number(text) < 1)
      throw new UserFacingError("BAD_REQUEST", `\`${name}\` must be a whole number from 1 on.`);
    return Math.min(Number(text), bounds.most);
  }

  /** v2 wrote booleans every way. */
  flag(name: string): boolean {
    return ["true", "1", "yes", "on"].includes(this.query(name)?.toLowerCase() ?? "");
  }

  /** A time of the query, as epoch milliseconds. */
  time(name: string): number | undefined {
    const text = this.query(name);
    if (text === undefined) return undefined;
    const at = Date.parse(text);
    if (Number.isNaN(at) || at < 0)
      throw new UserFacingError("BAD_REQUEST", `\`${name}\` must be a time in ISO form.`, "For example 2026-01-31T12:00:00Z.");
    return at;
  }

  json(value: unknown, headers: Record<string, string> = {}): Response {
    return jsonResponse(200, value, headers);
  }
}

function clean(text: string): string {
  if (text.includes("\0")) throw new UserFacingError("BAD_REQUEST", "The URL holds a NUL character.");
  return text;
}

export function jsonResponse(status: number, value: unknown, headers: Record<string, string> = {}): Response {
  const fixed = { "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff" };
  const text = JSON.stringify(value);
  const response = new Response(text, { status, headers: { ...fixed, ...headers } });
  texts.set(response, text);
  return response;
}

/** Bodies of answers in JSON: whoever wants one as text need not read it back out of a stream. */
const texts = new WeakMap<Response, string>();

export function textOf(response: Response): string | Promise<string> {
  return texts.get(response) ?? response.text();
}

/** `found`, or the error that says what is missing. */
export function orThrow<T>(found: T | null | undefined, code: ErrorCode, message: string): T {
  if (found === null || found === undefined) throw new UserFacingError(code, message);
  return found;
}
