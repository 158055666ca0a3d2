// Room: integrations. What can be read off a failed call of another service, whatever SDK threw it: status, headers, codes, method, message.
// Called by define.ts. The thirteen services' SDKs, and most others, put these in one of the places named here.
import type { Anything } from "../anything.ts";

/** A failed call of a service. Codes are whatever the error calls itself: `code`, `type`, `name`, also of errors within it. */
export interface Failure {
  /** HTTP status; undefined when no answer came. */
  status: number | undefined;
  codes: ReadonlySet<string>;
  /** Upper-case HTTP method of the request, where the error tells it. */
  method: string | undefined;
  message: string;
  header(name: string): string | undefined;
}

const isObject = (value: unknown): value is Record<string, Anything> => typeof value === "object" && value !== null;

/** The error, what it wraps, and what the service answered. */
function placesOf(error: Record<string, Anything>): Record<string, Anything>[] {
  const { response, raw, cause } = error;
  const answers = [response, raw, raw?.response, cause];
  const bodies = [error, ...answers].filter(isObject).flatMap(({ data, body, error: inner }) => [data, body, inner, body?.error]);
  return [error, ...answers, ...bodies].filter(isObject);
}

/** Errors of GraphQL, and of bodies with a list of errors; Shopify's SDK puts the list one deeper. */
function listedIn(places: Record<string, Anything>[]): Record<string, Anything>[] {
  const lists = places.flatMap(({ errors }) => [errors, isObject(errors) ? errors.graphQLErrors : undefined]);
  const listed = lists
    .filter((list) => Array.isArray(list))
    .flat()
    .filter(isObject);
  return [...listed, ...listed.map(({ extensions }) => extensions).filter(isObject)];
}

function statusIn(places: Record<string, Anything>[]): number | undefined {
  const numbers = places.flatMap(({ status, statusCode, code }) => [status, statusCode, code]);
  return numbers.find((value): value is number => Number.isInteger(value) && value >= 100 && value < 600);
}

function codesIn(places: Record<string, Anything>[]): Set<string> {
  const found = places.flatMap(({ code, type, name, error, rawType, userError }) => [
    ...[code, type, name, error, rawType],
    userError === true ? "userError" : undefined,
  ]);
  return new Set(found.filter((value): value is string => typeof value === "string"));
}

function headerOf(headers: unknown, name: string): string | undefined {
  if (!isObject(headers)) return undefined;
  if (typeof headers.get === "function") return textOf(headers.get(name));
  const key = Object.keys(headers).find((each) => each.toLowerCase() === name);
  return key === undefined ? undefined : textOf(headers[key]);
}

function textOf(value: unknown): string | undefined {
  const [first] = [value].flat();
  return typeof first === "string" || typeof first === "number" ? String(first) : undefined;
}

/** @param thrown anything a callback threw */
export function readFailure(thrown: unknown): Failure {
  const error = isObject(thrown) ? thrown : {};
  const places = placesOf(error);
  const header = (name: string): string | undefined => {
    const told = places.map(({ headers }) => headerOf(headers, name)).find((value) => value !== undefined);
    // Some SDKs read this one themselves, and keep nothing else.
    if (told !== undefined || name !== "retry-after") return told;
    return textOf(places.map(({ retryAfter }) => retryAfter).find((value) => value !== undefined));
  };
  const methods = places.flatMap(({ request, method }) => [request?.method, method]);
  return {
    status: statusIn(places),
    codes: codesIn([...places, ...listedIn(places)]),
    method: methods.find((method): method is string => typeof method === "string")?.toUpperCase(),
    message: typeof error.message === "string" ? error.message : "",
    header,
  };
}
