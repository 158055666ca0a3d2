// Room: http. The key-value store of v2 (wire §2.10): JSON texts by key, one flat space an environment. Keys arrive percent-encoded and may hold anything, slashes included.
import { UserFacingError } from "@holdfast/protocol";
import { z } from "zod";
import type { Call } from "../call.ts";
import { type Route, route } from "../route.ts";

/** Characters of a value's JSON text, as v2's SDK counts them. */
const MOST_CHARACTERS = 256 * 1024;
/** No character of JSON text takes more bytes. */
const MOST_BYTES = MOST_CHARACTERS * 4;
/** Bytes of a key: what a row of an index can hold, with room to spare. */
const LONGEST_KEY = 1024;

function keyOf(call: Call): string {
  const key = call.param("key");
  if (Buffer.byteLength(key) <= LONGEST_KEY) return key;
  const message = `A key of the store has at most ${LONGEST_KEY} bytes, with "job:<id>:" or "run:<id>:" before it.`;
  throw new UserFacingError("BAD_REQUEST", message, "Use a shorter key, such as a hash of this one.");
}

/** Null: the empty body SDKs send for undefined. */
function checkedValue(text: string): string | null {
  if (text === "") return null;
  if (text.length > MOST_CHARACTERS) {
    const message = `A value of the store has at most ${MOST_CHARACTERS} characters of JSON; this one has ${text.length}.`;
    throw new UserFacingError("TOO_LARGE", message, "Keep large data elsewhere and store where it is.");
  }
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw new UserFacingError("BAD_REQUEST", "The value is not valid JSON.");
  }
}

const shown = (text: string | null): { value?: string } => (text === null ? {} : { value: text });

/** HEAD comes here too: it asks only whether there is a value, by the status. */
async function get(call: Call): Promise<Response> {
  const key = keyOf(call);
  const found = await call.rooms.store.values.get(call.environment.id, key);
  if (call.context.req.method === "HEAD" && !found) throw new UserFacingError("NOT_FOUND", "There is no such key.");
  return call.json({ action: "GET", key, ...(found ? shown(found.text) : {}) });
}

async function set(call: Call, body: string): Promise<Response> {
  const key = keyOf(call);
  const text = checkedValue(body);
  await call.rooms.store.values.set(call.environment.id, key, { text, at: call.rooms.world.now() });
  return call.json({ action: "SET", key, ...shown(text) });
}

async function forget(call: Call): Promise<Response> {
  const key = keyOf(call);
  const deleted = await call.rooms.store.values.delete(call.environment.id, key);
  return call.json({ action: "DELETE", key, deleted });
}

const common = { path: "/api/v1/store/:key", tag: "v2", access: "secretKey" } as const;

export const v2StoreRoutes: Route[] = [
  route({
    ...common,
    method: "GET",
    name: "getValue",
    summary: "A kept value's JSON text; without `value` when there is none, which HEAD answers by 404",
    handle: get,
  }),
  route({
    ...common,
    method: "PUT",
    name: "setValue",
    summary: "Keep a value: JSON text of at most 256 KiB; an empty body is undefined",
    body: z.string(),
    bodyAs: "text",
    bodyLimit: MOST_BYTES,
    handle: set,
  }),
  route({ ...common, method: "DELETE", name: "deleteValue", summary: "Forget a value", handle: forget }),
];
