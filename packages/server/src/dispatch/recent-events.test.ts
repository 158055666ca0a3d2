// Room: dispatch. The memory of recent events is bounded, in number and in size, and forgets the oldest first.
import { expect, it } from "vitest";
import { sampleEvent } from "../store/samples.conformance.ts";
import { RecentEvents } from "./recent-events.ts";

it("keeps the newest two thousand", () => {
  const recent = new RecentEvents();
  const events = Array.from({ length: 7_000 }, () => sampleEvent());
  for (const event of events) {
    recent.add(event);
    recent.add(event);
  }
  const kept = events.map(({ rowId }) => recent.get(rowId) !== null);
  expect(kept).toEqual(events.map((_, i) => i >= 5_000));
});

it("keeps sixteen million characters at most, the newest ones", () => {
  const recent = new RecentEvents();
  const events = Array.from({ length: 6 }, () => sampleEvent({ payloadText: "x".repeat(5_000_000) }));
  for (const event of events) recent.add(event);
  expect(events.map(({ rowId }) => recent.get(rowId) !== null)).toEqual([false, false, false, true, true, true]);
  const larger = sampleEvent({ payloadText: "x".repeat(16_000_001) });
  recent.add(larger);
  expect(recent.get(larger.rowId)).toBeNull();
});
