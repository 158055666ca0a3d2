// Room: dispatch. What an event starts is found by its name among any number of jobs, and its payload is parsed once for all who look at it.
import { jobMetadataSchema } from "@holdfast/protocol";
import { expect, it, vi } from "vitest";
import { sampleEvent, world } from "../store/samples.conformance.ts";
import type { AppRow } from "../store/store.ts";
import { KnownJobs } from "./known-jobs.ts";
import { planRuns } from "./plan.ts";
import type { KnownJob, Registry } from "./registry.ts";

const APP = { id: "app_1" } as AppRow;

function job(id: string, event: string | string[], filter: object = {}, enabled = true): KnownJob {
  const rule = { event, source: "trigger.dev", payload: filter };
  const trigger = { type: "static", title: id, rule };
  const spec = { name: event, title: id, source: "trigger.dev", icon: "x" };
  return {
    app: APP,
    metadata: jobMetadataSchema.parse({ id, name: id, version: "1.0.0", event: spec, trigger, enabled, integrations: {} }),
  };
}

function planned(jobs: KnownJob[], name: string, payload: object): string[] {
  const known = new KnownJobs(jobs);
  const registry = { runsAtOnce: null, listeners: (_, event) => known.listeners(event) } as Partial<Registry> as Registry;
  const event = sampleEvent({ name, source: "trigger.dev", payloadText: JSON.stringify(payload) });
  return planRuns(registry, world, event).runs.map(({ jobId }) => jobId);
}

it("finds jobs by any name of their trigger, once each, in the order of the index", () => {
  const jobs = [
    job("b", "made"),
    job("many", ["made", "changed", "made"]),
    job("other", "changed"),
    job("off", "made", {}, false),
    job("a", ["gone", "made"]),
  ];
  expect(planned(jobs, "made", {})).toEqual(["b", "many", "a"]);
  expect(planned(jobs, "changed", {})).toEqual(["many", "other"]);
  expect(planned(jobs, "constructor", {})).toEqual([]);
  expect(new KnownJobs(jobs).byId("a")).toBe(jobs[4]);
  expect(new KnownJobs(jobs).byId("c")).toBeNull();
});

it("parses a payload once, however many filters look at it", () => {
  const jobs = Array.from({ length: 500 }, (_, i) => job(`j${i}`, "made", { n: [i % 5] }));
  const parse = vi.spyOn(JSON, "parse");
  expect(planned(jobs, "made", { n: 3 })).toHaveLength(100);
  expect(parse.mock.calls.filter(([text]) => text === '{"n":3}')).toHaveLength(1);
  parse.mockRestore();
});
