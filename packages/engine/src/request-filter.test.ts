// Request filters: one case for names, last query value wins, JSON bodies only, and refusals that point at the mistake.
import type { RequestFilter } from "@holdfast/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRequestFilter, type FilterableRequest, matchesRequest } from "./index.ts";

const request: FilterableRequest = {
  url: "https://host.example/in?kind=a&kind=b&empty&spaced=a+b%20c&broken=%zz&eq=x=y#part?kind=c",
  method: "post",
  headers: { "X-Kind": "order", "content-type": "text/plain" },
  rawBody: '{"type":"user.created","data":{"id":1}}',
};

describe("matchesRequest", () => {
  it.each<[filter: RequestFilter, matched: boolean]>([
    [{}, true],
    [{ method: ["POST"] }, true],
    [{ method: ["Post", "GET"] }, true],
    [{ method: ["GET"] }, false],
    [{ method: [] }, true],
    [{ headers: { "x-KIND": ["order"] } }, true],
    [{ headers: { "x-kind": ["other"] } }, false],
    [{ headers: { "x-missing": [{ $exists: false }] } }, true],
    [{ query: { kind: ["b"] } }, true],
    [{ query: { kind: ["a"] } }, false],
    [{ query: { kind: ["c"] } }, false],
    [{ query: { empty: [""], spaced: ["a b c"], broken: ["%zz"], eq: ["x=y"] } }, true],
    [{ body: { type: ["user.created"], data: { id: [{ $gte: 1 }] } } }, true],
    [{ body: { type: ["user.deleted"] } }, false],
    [
      { method: ["POST"], headers: { "x-kind": ["order"] }, query: { kind: ["b"] }, body: { type: [{ $startsWith: "user." }] } },
      true,
    ],
  ])("%j → %j", (filter, matched) => {
    expect(matchesRequest(filter, request)).toBe(matched);
  });

  it("needs JSON only when the body is asked about", () => {
    const form = { ...request, rawBody: "type=user.created", url: "/in" };
    expect([matchesRequest({ body: {} }, form), matchesRequest({ query: {} }, form)]).toEqual([false, true]);
    expect(matchesRequest({ query: { kind: [{ $exists: false }] } }, form)).toBe(true);
    expect(matchesRequest({ query: { "": [{ $exists: false }] } }, { ...form, url: "/in?&" })).toBe(true);
  });

  it("matches nothing with a filter that does not compile, however often it is asked", () => {
    const wrong = { body: { type: "user.created" } };
    expect([matchesRequest(wrong, request), matchesRequest(wrong, request)]).toEqual([false, false]);
  });
});

describe("compileRequestFilter", () => {
  const explained = (filter: unknown, given: FilterableRequest) => {
    const compiled = compileRequestFilter(filter);
    return compiled.ok ? compiled.explain(given) : compiled;
  };
  it("explains what did not match", () => {
    expect(explained({ method: ["POST"] }, request)).toBeNull();
    expect(explained({ body: { data: { id: [2] } } }, request)).toEqual({
      path: "body.data.id",
      why: "expected one of [2], found 1",
    });
    expect(explained({ body: { a: [] } }, { ...request, rawBody: "<xml>" })).toEqual({
      path: "body",
      why: "expected JSON, found something else",
    });
  });
  it.each<[filter: unknown, path: string, problem: RegExp]>([
    [null, "", /is an object/],
    [{ type: ["user.created"] }, "type", /go under body/],
    [{ method: "POST" }, "method", /leaf is a list/],
    [{ method: [1, "x"] }, "method", /mixture/],
    [{ headers: ["x"], query: { a: "b" } }, "query.a", /leaf is a list/],
    [{ headers: { "X-A": ["1"], "x-a": ["2"] } }, "headers.x-a", /named twice/],
    [{ headers: JSON.parse('{"__PROTO__": ["x"]}') }, "headers.__proto__", /not allowed/],
  ])("refuses %j", (filter, path, problem) => {
    expect(compileRequestFilter(filter)).toEqual({ ok: false, path, problem: expect.stringMatching(problem) });
  });
  it("reads a query as URLSearchParams does", () => {
    const plain = fc
      .string({ minLength: 1 })
      .filter((text) => !["__proto__", "constructor", "prototype"].includes(text) && !text.startsWith("$"));
    fc.assert(
      fc.property(fc.array(fc.tuple(plain, fc.string()), { minLength: 1, maxLength: 4 }), (pairs) => {
        const query = new URLSearchParams(pairs);
        for (const [name] of pairs) {
          const last = query.getAll(name).at(-1);
          expect(matchesRequest({ query: { [name]: [last] } }, { ...request, url: `https://h/x?${query}` })).toBe(true);
        }
      }),
    );
  });
});
