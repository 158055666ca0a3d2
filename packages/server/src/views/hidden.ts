// Room: views. What people must not see of a task: texts made with `redactString` in its input, and the paths of its output named by `redact`. Called by tasks.ts
// and by notifications. What is stored stays whole: the server sends such headers, and runs get the output they recorded.

import { SEALED_OUTPUT } from "../store/sealed-outputs.ts";

/** Shown in the place of a secret. */
const HIDDEN = "********";

/**
 * A copy in which each `redactString` is the text it stands for, with its values hidden.
 *
 * @example withoutSecrets({ __redactedString: true, strings: ["Bearer ", ""], interpolations: ["secret"] }) // "Bearer ********"
 */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isRecord(value)) return value;
  if (value.__redactedString === true && Array.isArray(value.strings)) return value.strings.map(String).join(HIDDEN);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
}

/** The output, unless it is one that is kept sealed. */
export function withoutSealed(output: unknown): unknown {
  return isRecord(output) && typeof output[SEALED_OUTPUT] === "string" ? HIDDEN : output;
}

/**
 * A copy in which what lies at the paths is hidden. A path goes by names and dots; of an array by index, or else into each element; `*` is every name.
 *
 * @example withoutPaths({ users: [{ token: "secret" }] }, ["users.token"]) // { users: [{ token: "********" }] }
 */
export function withoutPaths(value: unknown, paths: readonly string[]): unknown {
  return paths.reduce<unknown>((shown, path) => (path === "" ? shown : without(shown, path.split("."))), value);
}

function without(value: unknown, [name, ...rest]: string[]): unknown {
  if (name === undefined) return HIDDEN;
  if (Array.isArray(value)) {
    if (name === "*" || /^\d+$/.test(name))
      return value.map((each, at) => (name === "*" || Number(name) === at ? without(each, rest) : each));
    return value.map((each) => without(each, [name, ...rest]));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, name === "*" || key === name ? without(inner, rest) : inner]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
