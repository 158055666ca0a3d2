// Filters on HTTP requests: `{method, headers, query, body}`, each an event filter over that part. Called by server dispatch (jobs on an endpoint) and ingest
// (whether the app answers itself). Promises as in filter.ts; method and header names match in any case, of a repeated query name the last value counts,
// and a body that is not JSON matches no body filter, whatever its content type.
import { type RequestFilter, type RequestPayload, requestFilterProblem } from "@holdfast/protocol";
import { type CompiledFilter, compileFilter, type Mismatch, type RefusedFilter } from "./filter.ts";

/** What a filter needs of a request; a stored {@link RequestPayload} is one. */
export type FilterableRequest = Pick<RequestPayload, "url" | "method" | "headers" | "rawBody">;

const NOT_JSON: Mismatch = { path: "body", why: "expected JSON, found something else" };

/**
 * Compiles a request filter.
 *
 * @param json the filter as it came from JSON
 * @example
 * const filter = compileRequestFilter({ method: ["POST"], headers: { "X-Kind": ["a"] }, body: { type: ["user.created"] } });
 * if (filter.ok) filter.matches({ url: "https://h/x", method: "POST", headers: { "x-kind": "a" }, rawBody: '{"type":"user.created"}' }); // true
 */
export function compileRequestFilter(json: unknown): CompiledFilter<FilterableRequest> | RefusedFilter {
  const problem = requestFilterProblem(json);
  if (problem) return { ok: false, ...problem };
  const prepared = prepare(json as RequestFilter);
  const compiled = compileFilter(prepared);
  if (!compiled.ok) return compiled;
  const wantsBody = Object.hasOwn(prepared, "body");
  return {
    ok: true,
    matches: (request) => on(requestView(request, wantsBody), compiled.matches, false),
    explain: (request) => on(requestView(request, wantsBody), compiled.explain, NOT_JSON),
  };
}

const compiledFilters = new WeakMap<object, CompiledFilter<FilterableRequest> | RefusedFilter>();

/**
 * Whether a request matches. A filter that does not compile matches nothing. Compiled once an object: do not change a filter after its first use.
 *
 * @example matchesRequest({ method: ["POST"] }, { url: "https://h/x", method: "post", headers: {}, rawBody: "" }) // true
 */
export function matchesRequest(filter: RequestFilter, request: FilterableRequest): boolean {
  const compiled = compiledFilters.get(filter) ?? compileRequestFilter(filter);
  compiledFilters.set(filter, compiled);
  return compiled.ok && compiled.matches(request);
}

/** The filter with method and header names in one case, ready for the event filter compiler. */
function prepare(json: RequestFilter): object {
  const filter: Record<string, unknown> = { ...json };
  if (json.method) filter.method = json.method.map((method) => (typeof method === "string" ? method.toUpperCase() : method));
  return json.headers ? { ...filter, headers: lowerCased(json.headers) } : filter;
}

/** The request as its filter sees it, or null when it must have a JSON body and has none. The body is parsed only if the filter asks about it. */
export function requestView({ method, headers, url, rawBody }: FilterableRequest, wantsBody: boolean): object | null {
  const body = wantsBody ? parsedBody(rawBody) : { value: undefined };
  return body && { method: method.toUpperCase(), headers: lowerCased(headers), query: queryOf(url), body: body.value };
}

function on<T>(view: object | null, ask: (view: object) => T, otherwise: T): T {
  return view === null ? otherwise : ask(view);
}

/** `fromEntries` defines own fields, so that even a header called `__proto__` is only a field. */
function lowerCased(headers: object): object {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** The engine has no URL class (no DOM, no Node), and needs only this of it. */
function queryOf(url: string): object {
  const query = /^[^?#]*\?([^#]*)/.exec(url);
  const pairs = query === null ? [] : String(query[1]).split("&");
  return Object.fromEntries(pairs.filter((pair) => pair !== "").map(decodedPair));
}

function decodedPair(pair: string): [name: string, value: string] {
  const end = pair.indexOf("=");
  return end === -1 ? [decoded(pair), ""] : [decoded(pair.slice(0, end)), decoded(pair.slice(end + 1))];
}

/** A broken escape stands for itself. */
function decoded(text: string): string {
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

function parsedBody(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}
