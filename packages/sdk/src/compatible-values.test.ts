// The values of v2's package that are none of its surface proper: what programs call of them.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { EventSpecificationExampleSchema, JSONOutputSerializer, waitForEventSchema } from "./compatible-values.ts";

const at = new Date(0);

describe("values of v2's package", () => {
  it("serialize as JSON", () => {
    const json = new JSONOutputSerializer();
    for (const value of [{ n: [1, null] }, "text", 0, null, false])
      expect(json.deserialize(json.serialize(value))).toEqual(value);
    expect(json.deserialize()).toBeUndefined();
    expect(json.deserialize("")).toBeUndefined();
  });

  it("read an example of an event", () => {
    const example = { id: "one", name: "One", payload: { n: 1 } };
    expect(EventSpecificationExampleSchema.parse({ ...example, more: true })).toEqual(example);
    expect(EventSpecificationExampleSchema.safeParse({ ...example, icon: "bolt" })).toMatchObject({ data: { icon: "bolt" } });
    expect(EventSpecificationExampleSchema.safeParse({ id: 7 })).toMatchObject({
      success: false,
      error: { issues: [{ path: ["id"] }, { path: ["name"] }] },
    });
    expect(() => EventSpecificationExampleSchema.parse(null)).toThrow("Expected object");
  });

  it("read an event that was waited for, with its payload's schema", () => {
    const schema = waitForEventSchema(z.object({ n: z.coerce.number() }));
    const event = { id: "e", name: "paid", source: "trigger.dev", payload: { n: "7" }, timestamp: at.toISOString() };
    expect(schema.parse({ ...event, accountId: "acme", context: null })).toEqual({
      ...event,
      payload: { n: 7 },
      timestamp: at,
      accountId: "acme",
      context: null,
    });
    expect(schema.safeParse({ ...event, payload: {} })).toMatchObject({ error: { issues: [{ path: ["payload", "n"] }] } });
    expect(schema.safeParse({ ...event, timestamp: "never" })).toMatchObject({ error: { issues: [{ path: ["timestamp"] }] } });
  });
});
