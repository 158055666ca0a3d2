// Room: ingest. Which endpoint a URL names. Called by receive (look up) and by http and the sample sender (write the URL).
import type { KnownEndpoint, Registry } from "../dispatch/registry.ts";
import { sourceOf } from "../dispatch/source.ts";
import type { EndpointRow, EnvironmentRow } from "../store/store.ts";

export const ENDPOINTS_PATH = "/api/v1/http-endpoints/";
export const SOURCES_PATH = "/api/v1/sources/http/";
const FORM = /^\/+api\/+v1\/+http-endpoints\/+([^/]+)\/+env\/+([^/]+)\/+([^/]+)\/*$/;

export type Located =
  | { type: "endpoint"; environment: EnvironmentRow; endpoint: KnownEndpoint }
  /** `environment`: where to note the attempt, if anywhere. */
  | { type: "unknown"; environment: EnvironmentRow | null; reason: string };

/** Finds the endpoint of a path. In dev a path that names no environment is noted under the development one. */
export function locate(registry: Registry, path: string, mode: "dev" | "start"): Located {
  const source = sourceAt(registry, path);
  if (source) return source;
  const [, endpointId, slug, shortcode] = (FORM.exec(path) ?? []).map(decoded);
  const named = slug ? registry.environment(slug) : null;
  const fallback = mode === "dev" ? (registry.environments().find(({ type }) => type === "DEVELOPMENT") ?? null) : null;
  const unknown = (reason: string): Located => ({ type: "unknown", environment: named ?? fallback, reason });
  if (!endpointId || !slug) return unknown("The URL does not have the form of an endpoint's.");
  if (!named) return unknown("The URL names no environment of this server.");
  const endpoint = registry.endpoint(endpointId);
  if (!endpoint || endpoint.row.environmentId !== named.id) return unknown("The URL names no endpoint of this environment.");
  if (endpoint.row.shortcode !== shortcode) return unknown("The URL's last part is not this endpoint's.");
  return { type: "endpoint", environment: named, endpoint };
}

const SOURCE_FORM = /^\/+api\/+v1\/+sources\/+http\/+([^/]+)\/*$/;

/** The URL of a source is its id, which nobody can guess. */
function sourceAt(registry: Registry, path: string): Located | null {
  const id = SOURCE_FORM.exec(path)?.[1];
  const endpoint = id === undefined ? null : registry.endpoint(decoded(id));
  if (endpoint?.source?.kind !== "source") return null;
  return { type: "endpoint", environment: registry.requireEnvironment(endpoint.row.environmentId), endpoint };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The URL senders are given.
 *
 * @param origin of this server, as its senders reach it: "https://jobs.example.com"
 * @example endpointUrl("http://127.0.0.1:3040", environment, row) // "http://127.0.0.1:3040/api/v1/http-endpoints/ep_…/env/dev/…"
 */
export function endpointUrl(origin: string, environment: EnvironmentRow, row: EndpointRow): string {
  if (sourceOf(row)?.kind === "source") return `${origin}${SOURCES_PATH}${row.id}`;
  return `${origin}${ENDPOINTS_PATH}${row.id}/env/${environment.slug}/${row.shortcode}`;
}
