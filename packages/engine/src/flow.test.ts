import type { JobMetadata } from "@holdfast/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  admit,
  aheadOf,
  environmentRule,
  type Flow,
  flowOf,
  flowProblem,
  laterFlow,
  limitsOf,
  pacedGate,
  URGENCY_MS,
  valueAt,
  waitingPlaces,
} from "./flow.ts";

const ENV = "env_1";
const never = (): never => {
  throw new Error("the payload was read for nothing");
};

function job(fields: Partial<JobMetadata>): JobMetadata {
  return { id: "sync", ...fields } as JobMetadata;
}
function gate(id: string, limit = 1) {
  return { id, rule: id, limit };
}
function flow(gates: string[], priority = 0): Flow {
  return { gates: gates.map((id) => gate(id)), priority };
}

describe("flowOf", () => {
  it("asks for nothing where nothing is limited", () => {
    expect(flowOf(ENV, job({}), never, null)).toBeNull();
  });

  it("has a gate for the job, and one for a shared group", () => {
    const own = '["env_1","job","sync"]';
    const shared = '["env_1","group","api"]';
    expect(flowOf(ENV, job({ concurrencyLimit: 3 }), never, null)).toEqual({
      gates: [{ id: own, rule: own, limit: 3 }],
      priority: 0,
    });
    expect(
      flowOf(ENV, job({ concurrencyLimit: [3, { id: "api", limit: 5 }, { id: "api", limit: 5 }] }), never, null)?.gates,
    ).toEqual([
      { id: shared, rule: shared, limit: 5 },
      { id: own, rule: own, limit: 3 },
    ]);
  });

  it("has a gate for the environment, also where the job has no limit", () => {
    const all = '["env_1","environment"]';
    expect(flowOf(ENV, job({}), never, 9)).toEqual({ gates: [{ id: all, rule: all, limit: 9 }], priority: 0 });
    const both = flowOf(ENV, job({ concurrencyLimit: 3 }), never, 9)?.gates.map(({ id }) => id);
    expect(both).toEqual([all, '["env_1","job","sync"]']);
    expect(environmentRule(ENV)).toBe(all);
  });

  it("has a gate with a pace for a throttle, one for each key, and its id says which", () => {
    const rule = '["env_1","throttle","sync",60000,1]';
    expect(flowOf(ENV, job({ throttle: { limit: 5, period: 60 } }), never, null)).toEqual({
      gates: [{ id: rule, rule, limit: 5, pace: { period: 60_000, burst: 1 } }],
      priority: 0,
    });
    const throttle = { limit: 5, period: 0.5, burst: 2, key: "user" };
    const [keyed] = flowOf(ENV, job({ throttle }), () => ({ user: "ada" }), null)?.gates ?? [];
    expect(keyed?.id).toBe('["env_1","throttle","sync",500,2,"ada"]');
    expect(pacedGate(keyed?.id ?? "")).toEqual({ ...keyed, limit: 1 });
    expect(limitsOf(ENV, { jobs: [job({ throttle })] })).toEqual([{ rule: keyed?.rule, limit: 5 }]);
  });

  it("asks at a gate with a pace no more once the run has begun", () => {
    const both = flowOf(ENV, job({ concurrencyLimit: 2, throttle: { limit: 5, period: 60 } }), never, null) as Flow;
    expect(laterFlow(both).gates.map(({ id }) => id)).toEqual(['["env_1","job","sync"]']);
  });

  it("names gates in one order, however the job lists its limits", () => {
    const api = { id: "api", limit: 5 };
    const listed = (concurrencyLimit: NonNullable<JobMetadata["concurrencyLimit"]>) =>
      flowOf(ENV, job({ concurrencyLimit }), never, null)?.gates.map(({ id }) => id);
    expect(listed([3, api])).toEqual(listed([api, 3]));
  });

  it("counts a number by the key, and a group as a whole", () => {
    const keyed = (payload: unknown) =>
      flowOf(
        ENV,
        job({ concurrencyLimit: [1, { id: "api", limit: 5 }], concurrencyKey: "user.id" }),
        () => payload,
        null,
      )?.gates.map(({ id }) => id);
    expect(keyed({ user: { id: "ada" } })).toEqual(['["env_1","group","api"]', '["env_1","job","sync","ada"]']);
    expect(keyed({ user: { id: 7 } })?.[1]).toBe('["env_1","job","sync","7"]');
    expect(keyed({ user: { id: false } })?.[1]).toBe('["env_1","job","sync","false"]');
    expect(keyed({ user: { id: "x".repeat(900) } })?.[1]).toBe(`["env_1","job","sync","${"x".repeat(200)}"]`);
    for (const none of [{}, null, { user: { id: {} } }, { user: null }])
      expect(keyed(none)?.[1]).toBe('["env_1","job","sync",null]');
  });

  it("puts the work of an urgent run ahead of its time, in order of priority, and that of no other", () => {
    const ahead = (priority: number | string | undefined, payload: unknown = {}) => aheadOf(job({ priority }), () => payload);
    expect(aheadOf(job({}), never)).toBe(0);
    expect([ahead(2), ahead("user.urgency", { user: { urgency: 1 } })]).toEqual([2 * URGENCY_MS, URGENCY_MS]);
    expect([ahead(-1), ahead("none")]).toEqual([0, 0]);
    expect(ahead(1e9)).toBe(1e6 * URGENCY_MS);
    expect(Number.isSafeInteger(ahead(1e9))).toBe(true);
  });

  it("takes its priority from the job or from the payload, whole and bounded", () => {
    const priority = (given: number | string, payload: unknown = {}) =>
      flowOf(ENV, job({ concurrencyLimit: 1, priority: given }), () => payload, null)?.priority;
    expect(priority(3)).toBe(3);
    expect(priority("urgency", { urgency: 2.4 })).toBe(2);
    expect(priority("urgency", { urgency: "high" })).toBe(0);
    expect(priority("urgency", {})).toBe(0);
    expect([priority(1e12), priority(-1e12), priority(Number.NaN)]).toEqual([1e6, -1e6, 0]);
  });
});

describe("limitsOf", () => {
  it("names each rule once; of two limits of one group the lower counts", () => {
    const jobs = [
      job({ id: "a", concurrencyLimit: 2, concurrencyKey: "user" }),
      job({ id: "b", concurrencyLimit: { id: "api", limit: 5 } }),
      job({ id: "c", concurrencyLimit: [{ id: "api", limit: 4 }] }),
      job({ id: "d" }),
    ];
    expect(limitsOf(ENV, { jobs })).toEqual([
      { rule: '["env_1","job","a"]', limit: 2 },
      { rule: '["env_1","group","api"]', limit: 4 },
    ]);
  });
});

describe("flowProblem", () => {
  it("finds a key that counts nothing", () => {
    expect(flowProblem(job({}))).toBeNull();
    expect(flowProblem(job({ concurrencyKey: "a", concurrencyLimit: 1 }))).toBeNull();
    expect(flowProblem(job({ concurrencyKey: "a", concurrencyLimit: { id: "g", limit: 1 } }))).toContain("concurrencyKey");
    expect(flowProblem(job({ concurrencyKey: "a" }))).toContain("concurrencyKey");
    expect(flowProblem(job({ priority: 1 }))).toBeNull();
    expect(flowProblem(job({ priority: "urgency" }))).toBeNull();
    expect(flowProblem(job({ priority: -1 }))).toContain("below 0");
    expect(flowProblem(job({ priority: -1, concurrencyLimit: 1 }))).toBeNull();
    expect(flowProblem(job({ priority: -1, throttle: { limit: 5, period: 60 } }))).toBeNull();
  });

  it("finds a throttle that would start runs one by one faster than a server could", () => {
    expect(flowProblem(job({ throttle: { limit: 100, period: 1 } }))).toBeNull();
    expect(flowProblem(job({ throttle: { limit: 101, period: 1 } }))).toContain("burst");
    expect(flowProblem(job({ throttle: { limit: 1000, period: 1, burst: 10 } }))).toBeNull();
  });
});

it("valueAt reads own fields only", () => {
  expect(valueAt("a.b", { a: { b: 1 } })).toBe(1);
  expect(valueAt("constructor.name", {})).toBeUndefined();
  expect(valueAt("a.length", { a: "text" })).toBeUndefined();
});

describe("admit", () => {
  it("goes by priority, then by age, and refuses at the first full gate", () => {
    const asking = [
      { id: "run_1", flow: flow(["g"]) },
      { id: "run_2", flow: flow(["g"]) },
      { id: "run_3", flow: flow(["g"], 1) },
      { id: "run_4", flow: flow(["f", "h"]) },
      { id: "run_5", flow: flow(["unknown"]) },
    ];
    const { admitted, refused } = admit(
      asking,
      new Map([
        ["g", 2],
        ["f", 1],
        ["h", -1],
      ]),
    );
    expect([...admitted]).toEqual(["run_3", "run_1"]);
    expect([...refused]).toEqual([
      ["run_2", "g"],
      ["run_4", "h"],
      ["run_5", "unknown"],
    ]);
  });

  it("goes by age in whatever order they ask", () => {
    const asking = ["run_2", "run_1", "run_3"].map((id) => ({ id, flow: flow(["g"]) }));
    const rooms = new Map([["g", 1]]);
    expect([...admit(asking, rooms).admitted]).toEqual(["run_1"]);
    expect([...admit([...asking].reverse(), rooms).admitted]).toEqual(["run_1"]);
  });

  it("never gives more slots than there are, and leaves none free that someone could have", () => {
    const names = ["a", "b", "c"];
    const rooms = fc.array(fc.integer({ min: -2, max: 4 }), { minLength: 3, maxLength: 3 });
    const wants = fc.array(fc.subarray(names, { minLength: 1 }), { maxLength: 12 });
    fc.assert(
      fc.property(rooms, wants, (free, wanted) => {
        const given = new Map(names.map((name, i) => [name, free[i] ?? 0]));
        const asking = wanted.map((gates, i) => ({ id: `run_${i}`, flow: flow(gates, i % 3) }));
        const { admitted, refused } = admit(asking, given);
        const used = (name: string) =>
          asking.filter(({ id, flow: { gates } }) => admitted.has(id) && gates.some((g) => g.id === name));
        for (const name of names) expect(used(name).length).toBeLessThanOrEqual(Math.max(0, given.get(name) ?? 0));
        expect(admitted.size + refused.size).toBe(asking.length);
        for (const at of refused.values()) expect(used(at).length).toBe(Math.max(0, given.get(at) ?? 0));
      }),
    );
  });
});

describe("waitingPlaces", () => {
  const rooms = (free: Record<string, number>) => new Map(Object.entries(free));
  const asks = (id: string, wanted: Flow) => ({ id, flow: wanted });
  const keyed = (key: string): Flow => ({ gates: [gate("all"), { id: `job ${key}`, rule: "job", limit: 1 }], priority: 0 });

  it("are at a gate without room, else at the first", () => {
    const at = (free: Record<string, number>) =>
      waitingPlaces([asks("run_1", flow(["a", "b"]))], rooms(free), new Map()).get("run_1");
    expect(at({ a: 1, b: 0 })).toEqual({ gate: "b", turn: 1, of: null });
    expect(at({ a: 1, b: 1 })).toEqual({ gate: "a", turn: 1, of: null });
  });

  it("give each key its own turns, and none before the turn the gate has come to", () => {
    const asking = ["a", "a", "a", "b"].map((key, i) => asks(`run_${i}`, keyed(key)));
    const free = { all: 0, "job a": 1, "job b": 1 };
    const turns = [...waitingPlaces(asking, rooms(free), new Map([["job a", 4]])).values()].map(({ turn }) => turn);
    expect(turns).toEqual([5, 6, 7, 1]);
    const later = waitingPlaces(
      asking,
      rooms(free),
      new Map([
        ["all", 6],
        ["job a", 4],
      ]),
    );
    expect([...later.values()].map(({ turn }) => turn)).toEqual([7, 8, 9, 7]);
  });

  it("are in the order of arrival where there is nothing to be fair between", () => {
    const asking = ["run_1", "run_2"].map((id) => asks(id, flow(["a"])));
    const places = waitingPlaces(asking, rooms({ a: 0 }), new Map([["a", 3]]));
    expect([...places.values()]).toEqual([
      { gate: "a", turn: 4, of: null },
      { gate: "a", turn: 4, of: null },
    ]);
  });
});
