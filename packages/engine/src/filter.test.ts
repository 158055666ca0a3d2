// The filter language: each row of the table, a naive reading of the table as an oracle, and input that means harm.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFilter, type Mismatch } from "./index.ts";

function matches(filter: unknown, value: unknown): boolean {
  const compiled = compileFilter(filter);
  if (!compiled.ok) throw new Error(`${compiled.path}: ${compiled.problem}`);
  expect(compiled.explain(value) === null).toBe(compiled.matches(value));
  return compiled.matches(value);
}
function explain(filter: unknown, value: unknown): Mismatch | null {
  const compiled = compileFilter(filter);
  return compiled.ok ? compiled.explain(value) : null;
}
/** Values of field `a` (undefined: absent) that the leaf matches. */
function matched(leaf: unknown, values: readonly unknown[]): unknown[] {
  return values.filter((value) => matches({ a: leaf }, value === undefined ? {} : { a: value }));
}

describe("leaves", () => {
  const values = ["a", "b", "A", "é", "e", 1, 2, 0, true, false, null, undefined, [], ["a"], [1], {}, { a: "a" }];
  const rest = (...out: readonly unknown[]) =>
    values.filter((value) => !out.some((other) => JSON.stringify(other) === JSON.stringify(value)));

  it.each<[leaf: unknown, matching: unknown[]]>([
    [
      ["a", "b"],
      ["a", "b"],
    ],
    [
      [1, 2],
      [1, 2],
    ],
    [[true], [true]],
    [[], values],
    [[{ $startsWith: "a" }], ["a"]],
    [[{ $endsWith: "b" }], ["b"]],
    [[{ $ignoreCaseEquals: "a" }], ["a", "A"]],
    [[{ $ignoreCaseEquals: "E" }], ["e"]],
    [[{ $exists: true }], rest(undefined)],
    [[{ $exists: false }], [undefined]],
    [[{ $isNull: true }], [null]],
    [[{ $isNull: false }], rest(null)],
    [[{ $anythingBut: "a" }], rest("a")],
    [[{ $anythingBut: [1, 2] }], rest(1, 2)],
    [[{ $anythingBut: [] }], values],
    [[{ $not: "a" }], ["b", "A", "é", "e", 1, 2, 0, true, false, [], [1]]],
    [[{ $gt: 1 }], [2]],
    [[{ $gte: 1 }], [1, 2]],
    [[{ $lt: 1 }], [0]],
    [[{ $lte: 1 }], [1, 0]],
    [[{ $between: [1, 2] }], [1, 2]],
    [[{ $includes: "a" }], [["a"]]],
    [[{ $gt: 0 }, { $lt: 2 }], [1]],
  ])("%j matches %j", (leaf, matching) => {
    expect(matched(leaf, values)).toEqual(matching);
  });
});

describe("objects", () => {
  it("hold all their keys", () => {
    expect(matches({ a: ["x"], b: ["y"] }, { a: "x", b: "y", c: 1 })).toBe(true);
    expect(matches({ a: ["x"], b: ["y"] }, { a: "x", b: "z" })).toBe(false);
  });
  it("recurse, and match any element of a list", () => {
    expect(matches({ data: { user: { id: [1] } } }, { data: { user: { id: 1 } } })).toBe(true);
    expect(matches({ items: { id: [2], kind: ["b"] } }, { items: [{ id: 1 }, { id: 2, kind: "b" }] })).toBe(true);
    expect(matches({ items: { id: [2], kind: ["b"] } }, { items: [{ id: 2 }, { kind: "b" }] })).toBe(false);
    expect(matches({ items: {} }, { items: [] })).toBe(false);
  });
  it("match nothing at all only when they ask nothing", () => {
    for (const nothing of [null, undefined]) {
      expect([matches({}, nothing), matches({ a: [] }, nothing), matches({ a: {} }, { a: nothing })]).toEqual([
        true,
        false,
        true,
      ]);
      expect(matches({ a: { b: [{ $exists: false }] } }, { a: nothing })).toBe(false);
    }
    expect([matches({ a: { b: [{ $exists: false }] } }, { a: "text" }), matches({ length: [4] }, "text")]).toEqual([true, false]);
  });
});

describe("explain", () => {
  it.each<[filter: unknown, value: unknown, path: string, why: string]>([
    [{ type: ["a"] }, { type: "b" }, "type", 'expected one of ["a"], found "b"'],
    [{ data: { n: [{ $gt: 1 }, { $lt: 9 }] } }, { data: { n: 12 } }, "data.n", "expected $lt 9, found 12"],
    [{ data: { n: [1] } }, { data: null }, "data", "expected an object, found null"],
    [{ data: { n: [1] } }, {}, "data", "expected an object, found nothing"],
    [{ a: [1] }, undefined, "", "expected an object, found nothing"],
    [{ "a.b": { "c d": [true] } }, { "a.b": { "c d": { e: 1 } } }, '["a.b"]["c d"]', "expected one of [true], found an object"],
    [{ list: { id: [1] } }, { list: [{ id: 2 }, {}] }, "list", "expected an element that matches, found a list of 2"],
    [{ a: ["x"] }, { a: "y".repeat(500) }, "a", `expected one of ["x"], found "${"y".repeat(119)}…`],
  ])("%j on %j", (filter, value, path, why) => {
    expect(explain(filter, value)).toEqual({ path, why });
  });
  it("is null for what matches", () => expect(explain({ a: [1] }, { a: 1 })).toBeNull());
});

describe("refusals", () => {
  it.each<[filter: unknown, path: string, problem: RegExp]>([
    [null, "", /is an object/],
    [[], "", /is an object/],
    ["x", "", /is an object/],
    [{ a: "x" }, "a", /leaf is a list/],
    [{ a: { b: null } }, "a.b", /leaf is a list/],
    [{ a: { $gt: 5 } }, "a.$gt", /operator: write it inside a list/],
    [{ a: ["x", 1] }, "a", /mixture/],
    [{ a: [null] }, "a", /null/],
    [{ a: [["x"]] }, "a", /no list/],
    [{ a: [{ $gt: 1 }, "x"] }, "a", /mixture/],
    [{ a: [{ $gt: 1 }, { $regex: "x" }] }, "a", /List entry 2: "\$regex" is not an operator\. Known: \$startsWith, .*\$includes/],
    [{ a: [{ toString: "x" }] }, "a", /"toString" is not an operator/],
    [{ a: [{}] }, "a", /is empty/],
    [{ a: [{ $gt: 1, $lt: 5 }] }, "a", /several operators/],
    [{ a: [{ $gt: "1" }] }, "a", /\$gt takes a number/],
    [{ a: [{ $startsWith: 1 }] }, "a", /\$startsWith takes a string/],
    [{ a: [{ $exists: 1 }] }, "a", /\$exists takes true or false/],
    [{ a: [{ $between: [1] }] }, "a", /\$between takes two numbers/],
    [{ a: [{ $between: [1, "2"] }] }, "a", /\$between takes two numbers/],
    [{ a: [{ $between: 1 }] }, "a", /\$between takes two numbers/],
    [{ a: [{ $anythingBut: ["x", 1] }] }, "a", /\$anythingBut takes .* list/],
    [{ a: [{ $anythingBut: null }] }, "a", /\$anythingBut takes/],
    [{ a: [{ $not: ["x"] }] }, "a", /\$not takes/],
    [{ a: [{ $includes: {} }] }, "a", /\$includes takes/],
    [{ a: { constructor: ["x"] } }, "a.constructor", /not allowed/],
    [{ prototype: ["x"] }, "prototype", /not allowed/],
    [JSON.parse('{"a": {"__proto__": {"b": ["x"]}}}'), "a.__proto__", /not allowed/],
  ])("%j", (filter, path, problem) => {
    expect(compileFilter(filter)).toEqual({ ok: false, path, problem: expect.stringMatching(problem) });
  });
});

describe("hostile input", () => {
  const nested = (depth: number, leaf: string) => JSON.parse(`${'{"a":'.repeat(depth)}${leaf}${"}".repeat(depth)}`) as unknown;

  it("takes 64 levels and refuses 65 and 20,000 without a stack overflow", () => {
    expect(compileFilter(nested(64, "[1]")).ok).toBe(true);
    for (const depth of [65, 20_000])
      expect(compileFilter(nested(depth, "[1]"))).toMatchObject({ ok: false, problem: /64 levels/ });
    const deepLeaf = JSON.parse(`{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`) as unknown;
    expect(compileFilter(deepLeaf).ok).toBe(false);
    const deepOperand = JSON.parse(`{"a":[{"$not":${"[".repeat(20_000)}${"]".repeat(20_000)}}]}`) as unknown;
    expect(compileFilter(deepOperand).ok).toBe(false);
    const deepName = compileFilter({ a: [{ ["$".repeat(100_000)]: 1 }] });
    expect(deepName.ok ? 0 : deepName.problem.length).toBeLessThan(500);
  });
  it("matches payloads of any depth, and shows only their surface", () => {
    const filter = { a: { a: { b: [1] } } };
    expect(matches(filter, nested(20_000, "1"))).toBe(false);
    expect(explain({ a: [1] }, nested(20_000, "1"))?.why).toBe("expected one of [1], found an object");
    const list = JSON.parse(`{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`) as unknown;
    expect(explain({ a: { b: [1] } }, list)).toEqual({ path: "a", why: "expected an element that matches, found a list of 1" });
  });
  it("reads only a value's own fields", () => {
    expect(matches({ toString: [{ $exists: true }] }, {})).toBe(false);
    expect(matches({ hasOwnProperty: [{ $exists: false }] }, {})).toBe(true);
    expect(matches({ a: [{ $exists: false }] }, JSON.parse('{"__proto__": {"a": 1}}'))).toBe(true);
    expect(matches({ a: [1] }, Object.assign(Object.create(null), { a: 1, hasOwnProperty: 1 }))).toBe(true);
  });
  it("answers to any JSON, as filter and as payload", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (filter, value) => {
        const compiled = compileFilter(filter);
        if (compiled.ok) expect(typeof compiled.matches(value)).toBe("boolean");
        else expect(compiled.problem).toMatch(/\.$/);
      }),
    );
  });
});

describe("against a naive reading of the table", () => {
  const keys = fc.constantFrom("a", "b", "c");
  const primitives = fc.constantFrom<(string | number | boolean)[]>("x", "xy", "X", "", 0, 1, 2, true, false);
  const payloads = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, primitives, fc.constant(null), tie("list"), tie("object")),
    list: fc.array(tie("value"), { maxLength: 3 }),
    object: fc.dictionary(keys, tie("value"), { maxKeys: 3 }),
  })).object;
  const strings = fc.constantFrom("x", "xy", "X", "");
  const numbers = fc.constantFrom(0, 1, 2);
  const single = (name: string, operand: fc.Arbitrary<unknown>) => operand.map((value) => ({ [name]: value }));
  const content = fc.oneof(
    ...["$startsWith", "$endsWith", "$ignoreCaseEquals"].map((name) => single(name, strings)),
    ...["$exists", "$isNull"].map((name) => single(name, fc.boolean())),
    ...["$not", "$includes", "$anythingBut"].map((name) => single(name, primitives)),
    single("$anythingBut", fc.oneof(fc.array(strings), fc.array(numbers))),
    ...["$gt", "$gte", "$lt", "$lte"].map((name) => single(name, numbers)),
    single("$between", fc.tuple(numbers, numbers)),
  );
  const leaves = fc.oneof(
    fc.array(strings, { maxLength: 2 }),
    fc.array(numbers, { maxLength: 2 }),
    fc.array(fc.boolean(), { maxLength: 2 }),
    fc.array(content, { maxLength: 2 }),
  );
  const filters = fc.letrec((tie) => ({
    node: fc.oneof({ depthSize: "small", withCrossShrink: true }, leaves, tie("object")),
    object: fc.dictionary(keys, tie("node"), { maxKeys: 2 }),
  })).object;

  it("says the same", () => {
    let hits = 0;
    fc.assert(
      fc.property(filters, payloads, (filter, payload) => {
        const expected = naive(filter as Filter, payload);
        hits += expected ? 1 : 0;
        expect(matches(filter, payload)).toBe(expected);
      }),
      { numRuns: 10_000 },
    );
    expect(hits).toBeGreaterThan(500);
  });
});

interface Filter {
  [key: string]: Filter | unknown[];
}
/** The table, read aloud. */
function naive(filter: Filter, value: unknown): boolean {
  if (value === null || value === undefined) return Object.keys(filter).length === 0;
  return Object.entries(filter).every(([key, wanted]) => {
    const field = typeof value === "object" ? (value as Record<string, unknown>)[key] : undefined;
    if (Array.isArray(wanted)) return naiveLeaf(wanted, field);
    return Array.isArray(field) ? field.some((element) => naive(wanted, element)) : naive(wanted, field);
  });
}
function naiveLeaf(list: unknown[], value: unknown): boolean {
  if (list.length === 0) return true;
  if (typeof list[0] !== "object") return list.some((item) => item === value);
  return list.every((item) =>
    Object.entries(item as object).every(([name, operand]) => naiveContent(name, operand as never, value)),
  );
}
function naiveContent(name: string, operand: never, value: unknown): boolean {
  const text = typeof value === "string" ? value : null;
  const number = typeof value === "number" ? value : null;
  if (name === "$startsWith") return text !== null && text.indexOf(operand) === 0;
  if (name === "$endsWith") return text !== null && text.slice(text.length - (operand as string).length) === operand;
  if (name === "$ignoreCaseEquals") return text !== null && text.toLowerCase() === (operand as string).toLowerCase();
  if (name === "$exists") return operand ? value !== undefined : value === undefined;
  if (name === "$isNull") return operand ? value === null : value !== null;
  if (name === "$anythingBut") return ![operand].flat().some((refused) => refused === value);
  if (name === "$not" && Array.isArray(value)) return !value.some((item) => item === operand);
  if (name === "$not") return ["string", "number", "boolean"].includes(typeof value) && value !== operand;
  if (name === "$includes") return Array.isArray(value) && value.some((item) => item === operand);
  if (name === "$between") return number !== null && number >= operand[0] && number <= operand[1];
  if (number === null) return false;
  return { $gt: number > operand, $gte: number >= operand, $lt: number < operand, $lte: number <= operand }[name] === true;
}
