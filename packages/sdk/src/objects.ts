// Two small things v2 exports and programs use: leaving a key out of an object, and marking texts as secret.

/**
 * A copy without one key.
 *
 * @example omit({ a: 1, b: 2 }, "a").result // { b: 2 }
 */
export function omit<T extends Record<string, unknown>, K extends keyof T>(
  object: T,
  key: K,
): { result: Omit<T, K>; ommited: T[K] } {
  const { [key]: ommited, ...result } = object;
  return { result, ommited };
}

/** A text whose interpolated parts the server shows as ******** . */
export type RedactString = {
  __redactedString: true;
  strings: string[];
  interpolations: string[];
};

/** @example const header = redactString`Bearer ${token}`; */
export function redactString(strings: TemplateStringsArray, ...interpolations: string[]): RedactString {
  return { __redactedString: true, strings: [...strings], interpolations };
}
