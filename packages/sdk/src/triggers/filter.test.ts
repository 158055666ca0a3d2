// Filters are checked where they are written: what the server would refuse never gets as far as an index.
import { describe, expect, it } from "vitest";
import { TriggerClient } from "../client/client.ts";
import { eventTrigger } from "./event-trigger.ts";
import type { EventFilter } from "./trigger.ts";

const hostile: [what: string, filter: unknown, message: RegExp][] = [
  ["a forbidden key", JSON.parse('{"a":{"__proto__":{"b":["x"]}}}'), /at a\.__proto__\): This key is not allowed/],
  ["constructor", JSON.parse('{"constructor":["x"]}'), /at constructor\)/],
  ["an unknown operator", { a: [{ $regex: "x" }] }, /at a\): List entry 1: "\$regex" is not an operator/],
  ["a mixture", { a: ["x", 1] }, /not a mixture/],
  ["20,000 levels", JSON.parse(`${'{"a":'.repeat(20_000)}[1]${"}".repeat(20_000)}`), /64 levels deep at most/],
  ["a bare value", { a: "x" }, /at a\): A leaf is a list/],
];

describe("filters", () => {
  it.each(hostile)("of an event trigger: %s", (_what, filter, message) => {
    expect(() => eventTrigger({ name: "n", filter: filter as EventFilter })).toThrow(message);
  });

  it.each(hostile)("of a request's body: %s", (_what, body, message) => {
    const client = new TriggerClient({ id: "app", apiKey: "tr_dev_x" });
    const verify = async () => ({ success: true as const });
    const endpoint = client.defineHttpEndpoint({ id: "hook", source: "s", verify });
    const filter = { body: body as EventFilter };
    const inBody = new RegExp(message.source.replace(/^at /, "at body."));
    expect(() => endpoint.onRequest({ filter })).toThrow(inBody);
    const respondWith = { filter, handler: async () => new Response() };
    expect(() => client.defineHttpEndpoint({ id: "other", source: "s", verify, respondWith })).toThrow(inBody);
  });

  it("refuses what is no part of a request", () => {
    const endpoint = new TriggerClient({ id: "app", apiKey: "tr_dev_x" }).defineHttpEndpoint({
      id: "hook",
      source: "s",
      verify: async () => ({ success: true }),
    });
    const filter = { type: ["x"] } as object;
    expect(() => endpoint.onRequest({ filter })).toThrow(/at type\): A request filter has only method, headers, query and body/);
  });
});
