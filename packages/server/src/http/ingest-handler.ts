// Room: http. Every method on an endpoint's URL goes to ingest as it came: raw header pairs, raw bytes. Called by app.ts.
import type { IncomingMessage } from "node:http";
import { UserFacingError } from "@holdfast/protocol";
import type { Context } from "hono";
import { declaredBytes, sourceOf } from "./json-body.ts";
import type { LargeBodies } from "./large-bodies.ts";
import type { Rooms } from "./rooms.ts";

function headerPairs(context: Context): [string, string][] {
  const raw = (context.env as { incoming?: IncomingMessage } | undefined)?.incoming?.rawHeaders;
  if (!raw) return [...context.req.raw.headers.entries()];
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? "", raw[i + 1] ?? ""]);
  return pairs;
}

/** A sender is told that nothing was stored, and not what the database said: anyone may be a sender. */
function forStrangers(error: unknown): unknown {
  if (!(error instanceof UserFacingError) || error.code !== "DATABASE_UNREACHABLE") return error;
  return new UserFacingError(error.code, "Requests cannot be stored at the moment.", "Nothing was stored; send it again later.");
}

export function ingestHandler(rooms: Rooms, large: LargeBodies): (context: Context) => Promise<Response> {
  const inTurn = <T>(bytes: number, act: () => Promise<T>): Promise<T> => large.inTurn(bytes, act);
  return async (context) => {
    const reading = <T>(most: number, read: () => Promise<T>): Promise<T> => large.reading(declaredBytes(context, most), read);
    const { method, url } = context.req;
    const request = { method, url, headers: headerPairs(context), body: sourceOf(context), inTurn, reading };
    const answer = await rooms.ingest.receive(request).catch((error: unknown) => {
      throw forStrangers(error);
    });
    const body = method === "HEAD" ? null : (answer.body as string | Uint8Array<ArrayBuffer> | null);
    return new Response(body, { status: answer.status, headers: { ...answer.headers, "cache-control": "no-store" } });
  };
}
