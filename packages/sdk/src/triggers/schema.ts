// Room: triggers. Checks payloads with whatever schema library the user brought: anything with `safeParse` (zod of any version), or any
// Standard Schema (valibot, arktype, …). Depends on none of them.

/** Where a payload is wrong, and how. */
export interface PayloadIssue {
  path: (string | number)[];
  message: string;
}
export type Parsed<T> = { ok: true; value: T } | { ok: false; issues: PayloadIssue[] };

export type SchemaParserIssue = { path: PropertyKey[]; message: string };
export type SchemaParserResult<T> = { success: true; data: T } | { success: false; error: { issues: SchemaParserIssue[] } };
/** A schema as v2 takes it: zod's shape. */
export type SchemaParser<T = unknown> = { safeParse: (payload: unknown) => SchemaParserResult<T> };

type StandardIssue = {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
};
type StandardResult<T> = { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };
/** A schema as the Standard Schema specification describes it. */
export interface StandardSchema<T = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}
export type PayloadSchema<T> = SchemaParser<T> | StandardSchema<T>;

/** A payload does not fit its schema. */
export class InvalidPayload extends Error {
  readonly issues: PayloadIssue[];
  constructor(issues: PayloadIssue[]) {
    super(issues.map(({ path, message }) => `${path.join(".") || "payload"}: ${message}`).join("; "));
    this.name = "InvalidPayload";
    this.issues = issues;
  }
}

function step(part: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof part === "object" ? part.key : part;
  return typeof key === "number" ? key : String(key);
}

/** Issues of any library (or of a thrown zod error), in the shape the wire carries; undefined when there are none to read. */
export function readIssues(issues: unknown): PayloadIssue[] | undefined {
  if (!Array.isArray(issues)) return undefined;
  return (issues as StandardIssue[]).map(({ path, message }) => ({ path: (path ?? []).map(step), message: String(message) }));
}

function fromStandard<T>(result: StandardResult<T>): Parsed<T> {
  return result.issues ? { ok: false, issues: readIssues(result.issues) ?? [] } : { ok: true, value: result.value };
}

function check<T>(schema: PayloadSchema<T>, payload: unknown): Parsed<T> | Promise<Parsed<T>> {
  if ("safeParse" in schema) {
    const result = schema.safeParse(payload);
    return result.success ? { ok: true, value: result.data } : { ok: false, issues: readIssues(result.error.issues) ?? [] };
  }
  const result = schema["~standard"].validate(payload);
  return result instanceof Promise ? result.then(fromStandard) : fromStandard(result);
}

/** Checks a payload; without a schema everything fits. */
export async function validate<T>(schema: PayloadSchema<T> | undefined, payload: unknown): Promise<Parsed<T>> {
  return schema ? check(schema, payload) : { ok: true, value: payload as T };
}

/** Checks a payload at once; throws {@link InvalidPayload}. For callers of v2's `parsePayload`. */
export function parse<T>(schema: PayloadSchema<T> | undefined, payload: unknown): T {
  const parsed = schema ? check(schema, payload) : { ok: true as const, value: payload as T };
  if (parsed instanceof Promise) throw new Error("This schema checks asynchronously; it cannot be used in parsePayload().");
  if (!parsed.ok) throw new InvalidPayload(parsed.issues);
  return parsed.value;
}
