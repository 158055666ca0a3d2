// Room: api. Asks an app that is called by HTTP which app it is (action VALIDATE of the v2 wire). Called by `dev --app-url` and `apps register`.
import { CommandError } from "../output/exit-codes.ts";
import type { CliWorld } from "../platform/world.ts";

const ANSWER_WITHIN_MS = 30_000;
/** Where the adapters of both SDKs mount an app when nobody says otherwise. */
const DEFAULT_PATH = "/api/trigger";

export type AppIdAnswer = { ok: true; id: string } | { ok: false; why: string };

export interface AppCall {
  url: string;
  /** Secret key of the environment: an app answers nobody else. */
  key: string;
  signal?: AbortSignal;
}

export async function askAppId(world: Pick<CliWorld, "fetch">, { url, key, signal }: AppCall): Promise<AppIdAnswer> {
  const headers = { "x-trigger-api-key": key, "x-trigger-action": "VALIDATE", "content-type": "application/json" };
  const limits = [AbortSignal.timeout(ANSWER_WITHIN_MS), ...(signal ? [signal] : [])];
  try {
    const response = await world.fetch(url, { method: "POST", headers, redirect: "manual", signal: AbortSignal.any(limits) });
    const body = (await response.json().catch(() => null)) as { ok?: unknown; endpointId?: unknown; message?: unknown } | null;
    if (response.ok && body?.ok === true && typeof body.endpointId === "string") return { ok: true, id: body.endpointId };
    return { ok: false, why: whyNot(response, body?.message) };
  } catch (error) {
    return { ok: false, why: unanswered(error) };
  }
}

function whyNot(response: Response, message: unknown): string {
  const location = response.headers.get("location");
  if (response.status >= 300 && response.status < 400 && location)
    return `it redirects to ${location}; name that address instead.`;
  if (typeof message === "string") return `it answers ${response.status}: ${message}`;
  return `it answers ${response.status}, but not as an app does; is the path right?`;
}

function unanswered(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `it did not answer within ${ANSWER_WITHIN_MS / 1000} seconds.`;
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return `nothing answers there (${code}).`;
}

/** The address of an app's handler; one without a path means the adapters' usual path. */
export function toAppUrl(given: string): string {
  if (!/^https?:\/\//.test(given) || !URL.canParse(given)) {
    throw new CommandError("USAGE", `"${given}" is no address of an app.`, "It looks like http://localhost:3000/api/trigger.");
  }
  const url = new URL(given);
  if (url.pathname === "/") url.pathname = DEFAULT_PATH;
  return url.href;
}
