// JSON values, and the text rules storage needs.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A value's JSON text, or undefined for what JSON cannot hold (undefined, functions, symbols). */
export function toJsonText(value: unknown): string | undefined {
  return JSON.stringify(value);
}
