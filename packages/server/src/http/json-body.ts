// Room: http. Reads and checks a route's body, JSON unless the route says text, whatever its content-type says: v2's CLI sends JSON as text/plain.
// Promises: bounded bytes, bounded nesting, and an error that says where the body is wrong.
import type { IncomingMessage } from "node:http";
import { type ErrorCode, UserFacingError } from "@holdfast/protocol";
import type { Context } from "hono";
import type { z } from "zod";
import { type BodySource, readBody } from "../ingest/read-body.ts";
import { nestsDeeper } from "../views/reader.ts";
import { streamedIn } from "./streamed-call.ts";

const DEFAULT_LIMIT = 1024 * 1024;
const DEEPEST = 200;
const MOST_PROBLEMS = 5;

/** The bytes of a request as they arrive: Node's own stream when there is one. */
export function sourceOf(context: Context): BodySource {
  const incoming = (context.env as { incoming?: IncomingMessage } | undefined)?.incoming;
  return incoming ?? (context.req.raw.body as ReadableStream<Uint8Array> | null);
}

/** Bytes of the body its sender says it will send, as far as they would be read; 0 when it does not say. */
export function declaredBytes(context: Context, limit = DEFAULT_LIMIT): number {
  return Math.min(Number(context.req.header("content-length") ?? 0) || 0, limit);
}

function tooLarge(limit: number): UserFacingError {
  return new UserFacingError("TOO_LARGE", `The body is larger than the ${limit} bytes accepted.`);
}

/**
 * The text of a request's body.
 *
 * @throws UserFacingError TOO_LARGE, BAD_REQUEST
 */
export async function readText(context: Context, limit = DEFAULT_LIMIT): Promise<string> {
  const given = streamedIn(context)?.body;
  if (given !== undefined) {
    if (Buffer.byteLength(given) > limit) throw tooLarge(limit);
    return given;
  }
  const { bytes, end } = await readBody(sourceOf(context), limit);
  if (end === "cut") throw tooLarge(limit);
  if (end === "broken") throw new UserFacingError("BAD_REQUEST", "The request ended before its body did.");
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

function parse(text: string): unknown {
  if (text.trim() === "") return {};
  if (nestsDeeper(text, DEEPEST)) throw new UserFacingError("BAD_REQUEST", `The body nests deeper than ${DEEPEST} levels.`);
  try {
    return JSON.parse(text);
  } catch {
    throw new UserFacingError("BAD_REQUEST", "The body is not valid JSON.");
  }
}

export interface BodyOptions {
  bad?: ErrorCode | undefined;
  /** The schema is that of the text itself. */
  asText?: boolean | undefined;
}

/** What the text of a body says, in the shape of the schema. No text counts as `{}`. */
export function checkedBody(text: string, schema: z.ZodType, options: BodyOptions): unknown {
  const value = options.asText ? text : parse(text);
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const problems = checked.error.issues
    .slice(0, MOST_PROBLEMS)
    .map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new UserFacingError(
    options.bad ?? "BAD_REQUEST",
    `The body does not have the right shape: ${problems.join("; ")}`.slice(0, 1000),
  );
}
