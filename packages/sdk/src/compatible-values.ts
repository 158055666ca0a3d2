// Values v2's package has beside its own surface, which programs import now and then: how values travel, and schemas of two of its shapes. v2 made the schemas with zod; here they are
// what users call of them, `parse` and `safeParse`. Public; used nowhere else.
import type { Anything } from "./anything.ts";
import type { OutputSerializer, WaitForEventResult } from "./compatible-types.ts";
import {
  InvalidPayload,
  type PayloadIssue,
  type PayloadSchema,
  parse,
  type SchemaParser,
  type SchemaParserResult,
} from "./triggers/schema.ts";
import type { EventSpecificationExample } from "./triggers/trigger.ts";

/** JSON, with `undefined` for no text. @example new JSONOutputSerializer().deserialize('{"n":1}') // { n: 1 } */
export class JSONOutputSerializer implements OutputSerializer {
  serialize(value: unknown): string {
    return JSON.stringify(value);
  }
  deserialize(value?: string): Anything {
    return value ? JSON.parse(value) : undefined;
  }
}

/** A schema that can also throw. */
export interface ThrowingSchema<T> extends SchemaParser<T> {
  /** @throws an error with `issues`, each with a path and a message */
  parse(value: unknown): T;
}

type Fields = Record<string, unknown>;

function schemaOf<T>(read: (fields: Fields) => T): ThrowingSchema<T> {
  const parseAll = (value: unknown): T => {
    if (typeof value !== "object" || value === null) throw new InvalidPayload([{ path: [], message: "Expected object" }]);
    return read(value as Fields);
  };
  return {
    parse: parseAll,
    safeParse: (value): SchemaParserResult<T> => {
      try {
        return { success: true, data: parseAll(value) };
      } catch (error) {
        if (error instanceof InvalidPayload) return { success: false, error: { issues: error.issues } };
        throw error;
      }
    },
  };
}

function texts(fields: Fields, needed: readonly string[], optional: readonly string[]): Record<string, string> {
  const wrong: PayloadIssue[] = [];
  const found: Record<string, string> = {};
  for (const name of [...needed, ...optional]) {
    const value = fields[name];
    if (typeof value === "string") found[name] = value;
    else if (value !== undefined || needed.includes(name)) wrong.push({ path: [name], message: "Expected string" });
  }
  if (wrong.length > 0) throw new InvalidPayload(wrong);
  return found;
}

/** Of an example payload of an event. @example EventSpecificationExampleSchema.parse({ id: "one", name: "One", payload: { n: 1 } }) */
export const EventSpecificationExampleSchema: ThrowingSchema<EventSpecificationExample> = schemaOf((fields) => {
  const { id = "", name = "", ...more } = texts(fields, ["id", "name"], ["icon"]);
  return { id, name, ...more, payload: fields.payload };
});

/**
 * Of what `io.waitForEvent` gives.
 *
 * @param schema of the event's payload
 * @example waitForEventSchema(z.object({ n: z.number() })).parse(event).payload.n
 */
export function waitForEventSchema<T>(schema: PayloadSchema<T>): ThrowingSchema<WaitForEventResult<T>> {
  return schemaOf((fields) => {
    const { id = "", name = "", source = "", ...more } = texts(fields, ["id", "name", "source"], ["accountId"]);
    const timestamp = new Date(fields.timestamp as string);
    if (Number.isNaN(timestamp.getTime())) throw new InvalidPayload([{ path: ["timestamp"], message: "Invalid date" }]);
    const context = fields.context === undefined ? {} : { context: fields.context };
    return { id, name, source, payload: payloadOf(schema, fields.payload), timestamp, ...context, ...more };
  });
}

function payloadOf<T>(schema: PayloadSchema<T>, payload: unknown): T {
  try {
    return parse(schema, payload);
  } catch (error) {
    if (!(error instanceof InvalidPayload)) throw error;
    throw new InvalidPayload(error.issues.map(({ path, message }) => ({ path: ["payload", ...path], message })));
  }
}
