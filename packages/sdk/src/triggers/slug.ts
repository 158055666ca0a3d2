// Room: triggers. Ids as they appear in URLs and on the wire. Called for job and endpoint ids; public because v2's is.

/**
 * Lower-cases, turns spaces into dashes, and drops what does not belong in an id.
 *
 * @example slugifyId("My Endpoint!") // "my-endpoint"
 */
export function slugifyId(input: string): string {
  return input
    .toLowerCase()
    .replace(/\s+/g, "-")
    .replace(/[^a-zA-Z0-9-._~]/g, "");
}
