// Room: api. Speaks HTTP to the server on behalf of the commands; shapes are those of the protocol's management.ts.
// Promises: the JSON of a 2xx answer, or a CommandError with the server's own message, code and hint.
import { ERROR_STATUS, type ErrorCode, type Page } from "@holdfast/protocol";
import { CommandError } from "../output/exit-codes.ts";
import type { CliWorld } from "../platform/world.ts";
import type { ServerAddress } from "./find-server.ts";

const TIMEOUT_MS = 30_000;

export type Query = Record<string, string | number | readonly string[] | undefined>;

export interface Api {
  readonly address: ServerAddress;
  /** Paths start behind the server's address: "/api/v1/events". */
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  /** The path of something in the chosen environment; every segment is escaped. */
  inEnvironment(...segments: string[]): string;
  /** Items of a paged list, newest first, until there are `limit` of them. */
  list<T>(path: string, query: Query, limit: number): Promise<T[]>;
}

export function createApi(world: Pick<CliWorld, "fetch">, address: ServerAddress): Api {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await reach(world, address, { path, method, body });
    if (!response.ok) throw await refusal(response);
    return (await response.json().catch(() => foreign(address.url))) as T;
  };
  const api: Api = {
    address,
    get: (path, query = {}) => call("GET", path + queryString(query)),
    post: (path, body) => call("POST", path, body),
    inEnvironment: (...segments) =>
      ["/api/v1/environments", ...[address.environment, ...segments].map(encodeURIComponent)].join("/"),
    list: (path, query, limit) => listAll(api, { path, query, limit }),
  };
  return api;
}

async function listAll<T>(api: Api, wanted: { path: string; query: Query; limit: number }): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(wanted.limit - items.length, 100);
    const page: Page<T> = await api.get(wanted.path, { ...wanted.query, limit, cursor });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor && items.length < wanted.limit);
  return items.slice(0, wanted.limit);
}

async function reach(
  world: Pick<CliWorld, "fetch">,
  address: ServerAddress,
  call: { path: string; method: string; body: unknown },
) {
  const headers: Record<string, string> = { accept: "application/json", "x-holdfast": "1" };
  if (address.token) headers.authorization = `Bearer ${address.token}`;
  if (call.body !== undefined) headers["content-type"] = "application/json";
  try {
    return await world.fetch(address.url + call.path, {
      method: call.method,
      headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
  } catch (error) {
    throw unreachable(address.url, error);
  }
}

function unreachable(url: string, error: unknown): CommandError {
  if (error instanceof Error && error.name === "TimeoutError") {
    return new CommandError("TIMEOUT", `The server at ${url} did not answer within ${TIMEOUT_MS / 1000} seconds.`);
  }
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const why = cause instanceof Error ? ("code" in cause && String(cause.code)) || cause.message : String(cause);
  const hint = "Is it running? Start one with `holdfast dev`, or name another with --url.";
  return new CommandError("SERVER_UNREACHABLE", `No server answers at ${url} (${why}).`, hint);
}

function foreign(url: string): never {
  throw new CommandError(
    "SERVER_UNREACHABLE",
    `What answers at ${url} is not a Holdfast server.`,
    "Name the right one with --url.",
  );
}

async function refusal(response: Response): Promise<CommandError> {
  const body = (await response.json().catch(() => ({}))) as { message?: string; error?: string; code?: string; hint?: string };
  const message = body.message ?? body.error ?? `The server answered ${response.status}.`;
  return new CommandError(codeOf(body.code, response.status), message, body.hint);
}

function codeOf(code: string | undefined, status: number): ErrorCode {
  if (code && code in ERROR_STATUS) return code as ErrorCode;
  // Several codes share a status; of those with 500, only INTERNAL is about the server.
  const fitting = status === 500 ? undefined : Object.entries(ERROR_STATUS).find(([, each]) => each === status)?.[0];
  return (fitting as ErrorCode | undefined) ?? "INTERNAL";
}

function queryString(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each));
  }
  return search.size ? `?${search}` : "";
}
