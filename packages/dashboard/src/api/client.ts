// Room api: one function that speaks HTTP to the server this page came from. Called by queries.ts and actions.ts only.
// Promises: a JSON answer as typed, or an ApiFailure carrying the server's own message and hint.

/** What the server (or the network) said when a call did not succeed. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  constructor(
    /** HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null = null,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | readonly string[] | undefined>;

export function queryString(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === "") continue;
    for (const each of typeof value === "string" ? [value] : value) search.append(name, each);
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

/** The path of something inside an environment, every segment escaped. */
export const inEnvironment = (env: string, ...segments: string[]): string =>
  ["/api/v1/environments", env, ...segments].map((part, at) => (at === 0 ? part : encodeURIComponent(part))).join("/");

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => send<T>("GET", path, undefined, signal);

/** An unsafe request; the header shows the server that a page of ours made it, not a form on another site. */
export const send = async <T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> => {
  const response = await reach(path, {
    method,
    credentials: "same-origin",
    headers: {
      accept: "application/json",
      "x-holdfast": "1",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  if (!response.ok) throw await failure(response);
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
};

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiFailure(
      0,
      "UNREACHABLE",
      "The server does not answer.",
      "Is it still running? This page tries again by itself.",
    );
  }
}

async function failure(response: Response): Promise<ApiFailure> {
  const body = (await response.json().catch(() => ({}))) as { message?: string; error?: string; code?: string; hint?: string };
  const message = body.message ?? body.error ?? `The server answered ${response.status}.`;
  return new ApiFailure(response.status, body.code ?? "UNKNOWN", message, body.hint ?? null);
}
