// Schemas of several libraries' shapes, and payloads that do not fit.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import * as mini from "zod/mini";
import { InvalidPayload, parse, type StandardSchema, validate } from "./schema.ts";

const wrong = { user: { ages: ["x"] } };
const issue = { path: ["user", "ages", 0], message: expect.any(String) };

describe("a payload", () => {
  it.each([
    ["zod", z.object({ user: z.object({ ages: z.array(z.number()) }) })],
    ["zod mini", mini.object({ user: mini.object({ ages: mini.array(mini.number()) }) })],
    ["any Standard Schema", standard({ message: "Expected number", path: ["user", "ages", { key: 0 }] })],
  ])("that does not fit says where: %s", async (_name, schema) => {
    expect(await validate<unknown>(schema, wrong)).toEqual({ ok: false, issues: [issue] });
    expect(() => parse<unknown>(schema, wrong)).toThrow(InvalidPayload);
  });

  it("that fits is what the schema makes of it", async () => {
    const schema = z.object({ n: z.coerce.number(), extra: z.string().default("d") });
    expect(await validate(schema, { n: "4" })).toEqual({ ok: true, value: { n: 4, extra: "d" } });
    expect(parse(schema, { n: "4" })).toEqual({ n: 4, extra: "d" });
    expect(await validate(undefined, wrong)).toEqual({ ok: true, value: wrong });
  });

  it("may be checked asynchronously, though not by parse", async () => {
    const schema = standard({ message: "no" }, true);
    expect(await validate(schema, wrong)).toEqual({ ok: false, issues: [{ path: [], message: "no" }] });
    expect(() => parse(schema, wrong)).toThrow("asynchronously");
  });

  it("is described in one line", () => {
    expect(
      new InvalidPayload([
        { path: ["a", 0], message: "bad" },
        { path: [], message: "worse" },
      ]).message,
    ).toBe("a.0: bad; payload: worse");
  });
});

function standard(issue: { message: string; path?: (string | { key: number })[] }, later = false): StandardSchema {
  const result = { issues: [issue] };
  return { "~standard": { version: 1, vendor: "test", validate: () => (later ? Promise.resolve(result) : result) } };
}
