// Which events start a run where a job has a rate limit or is debounced.
import type { JobMetadata } from "@holdfast/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Answer, type Door, type DoorState, doorOf, doorProblem, knockAt } from "./door.ts";

const EMPTY: DoorState = { starts: 0, times: new Map(), putOff: null };

function job(fields: Partial<JobMetadata>): JobMetadata {
  const trigger = { type: "static", rule: { event: "e", source: "s" } };
  return { id: "sync", name: "Sync", version: "1", event: {}, trigger, enabled: true, ...fields } as unknown as JobMetadata;
}

/** Events named by their number, at these times. */
function ask(door: Door, ats: readonly number[]): Answer[] {
  let state = EMPTY;
  return ats.map((at, i) => {
    const asked = knockAt(state, { run: `run_${i}`, event: `evt_${i}`, at, door });
    state = asked.state;
    return asked.answer;
  });
}

describe("doorOf", () => {
  const payload = () => ({ user: { id: 7 } });

  it("is of the job, or of the value of its key, in whole milliseconds", () => {
    expect(doorOf("env_1", job({}), payload)).toBeNull();
    expect(doorOf("env_1", job({ rateLimit: { limit: 5, period: 0.0015 } }), payload)).toEqual({
      kind: "rate",
      id: '["env_1","rate","sync"]',
      limit: 5,
      period: 2,
    });
    expect(doorOf("env_1", job({ rateLimit: { limit: 5, period: 1, key: "user.id" } }), payload)).toMatchObject({
      id: '["env_1","rate","sync","7"]',
    });
    expect(doorOf("env_1", job({ debounce: { period: 2, key: "user.none" } }), payload)).toEqual({
      kind: "debounce",
      id: '["env_1","debounce","sync",null]',
      period: 2000,
      timeout: null,
    });
    expect(doorOf("env_1", job({ debounce: { period: 2, timeout: 10 } }), payload)).toMatchObject({ timeout: 10_000 });
  });
});

describe("doorProblem", () => {
  it("finds what cannot be used", () => {
    const rateLimit = { limit: 1, period: 1 };
    expect(doorProblem(job({}))).toBeNull();
    expect(doorProblem(job({ trigger: { type: "invoke" } }))).toBeNull();
    expect(doorProblem(job({ rateLimit }))).toBeNull();
    expect(doorProblem(job({ debounce: { period: 1, timeout: 1 } }))).toBeNull();
    expect(doorProblem(job({ rateLimit, debounce: { period: 1 } }))).toMatch("do not go together");
    expect(doorProblem(job({ debounce: { period: 2, timeout: 1 } }))).toMatch("shorter than its period");
    expect(doorProblem(job({ rateLimit, trigger: { type: "invoke" } }))).toMatch("rateLimit is about events");
    expect(doorProblem(job({ debounce: { period: 1 }, trigger: { type: "invoke" } }))).toMatch("debounce is about events");
  });
});

describe("a rate limit", () => {
  const door: Door = { kind: "rate", id: "d", limit: 2, period: 100 };

  it("refuses what is over it, and says until when", () => {
    expect(ask(door, [0, 10, 20, 99, 100, 109, 110])).toEqual([
      { type: "enters", dueAt: 0 },
      { type: "enters", dueAt: 10 },
      { type: "refused", until: 100 },
      { type: "refused", until: 100 },
      { type: "enters", dueAt: 100 },
      { type: "refused", until: 110 },
      { type: "enters", dueAt: 110 },
    ]);
  });

  it("lets no more runs in than the limit in any period, by their own times, however clocks disagree and however the limit changes", () => {
    const events = fc.array(fc.record({ at: fc.integer({ min: 0, max: 500 }), limit: fc.integer({ min: 1, max: 4 }) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(events, (given) => {
        let state = EMPTY;
        const entered: number[] = [];
        for (const [i, { at, limit }] of given.entries()) {
          const asked = knockAt(state, {
            run: `run_${i}`,
            event: `evt_${i}`,
            at,
            door: { kind: "rate", id: "d", limit, period: 100 },
          });
          state = asked.state;
          if (asked.answer.type === "enters") entered.push(at);
        }
        for (const from of entered) expect(entered.filter((at) => at >= from && at < from + 100).length).toBeLessThanOrEqual(4);
      }),
    );
  });
});

describe("a debounce", () => {
  const door: Door = { kind: "debounce", id: "d", period: 100, timeout: 250 };

  it("puts one run off until nothing came for a period, of the last event, and begins anew after that", () => {
    expect(ask({ ...door, timeout: null }, [0, 90, 180, 270, 369, 470])).toEqual([
      { type: "enters", dueAt: 100 },
      { type: "replaces", run: "run_0", former: "evt_0", dueAt: 190 },
      { type: "replaces", run: "run_0", former: "evt_1", dueAt: 280 },
      { type: "replaces", run: "run_0", former: "evt_2", dueAt: 370 },
      { type: "replaces", run: "run_0", former: "evt_3", dueAt: 469 },
      { type: "enters", dueAt: 570 },
    ]);
  });

  it("is bounded by its timeout, and a clock that is behind makes nothing due sooner", () => {
    expect(ask(door, [0, 90, 180, 240, 250])).toEqual([
      { type: "enters", dueAt: 100 },
      { type: "replaces", run: "run_0", former: "evt_0", dueAt: 190 },
      { type: "replaces", run: "run_0", former: "evt_1", dueAt: 250 },
      { type: "replaces", run: "run_0", former: "evt_2", dueAt: 250 },
      { type: "enters", dueAt: 350 },
    ]);
    expect(ask(door, [50, 20])).toMatchObject([{ dueAt: 150 }, { type: "replaces", dueAt: 150 }]);
  });
});
