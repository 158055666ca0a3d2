import { isId } from "@holdfast/protocol";
import { afterEach, describe, expect, it, vi } from "vitest";
import { idSource } from "./ids.ts";
import { realWorld, sleep } from "./world.ts";

afterEach(() => vi.useRealTimers());

describe("idSource", () => {
  it("makes different ids of the right form across many blocks of chance", () => {
    const newId = idSource(() => 1_767_225_600_000);
    const ids = Array.from({ length: 20_000 }, () => newId("run"));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => isId("run", id))).toBe(true);
  });
});

describe("realWorld", () => {
  it("gives out as many unpredictable bytes as asked for, and none twice", () => {
    const { random } = realWorld();
    const drawn = Array.from({ length: 5_000 }, (_, i) => random(8 + (i % 3)));
    expect(drawn.map(({ length }) => length)).toEqual(drawn.map((_, i) => 8 + (i % 3)));
    expect(new Set(drawn.map((bytes) => Buffer.from(bytes).toString("hex"))).size).toBe(drawn.length);
    expect(random(1_000)).toHaveLength(1_000);
  });

  it("signs with HMAC-SHA256", () => {
    const signature = realWorld().sign("key", "The quick brown fox jumps over the lazy dog");
    expect(Buffer.from(signature).toString("hex")).toBe("f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
  });

  it("waits months without firing early, although one system timer holds 24.8 days", () => {
    vi.useFakeTimers();
    const day = 86_400_000;
    let fired = 0;
    realWorld().after(60 * day, () => fired++);
    const cancel = realWorld().after(61 * day, () => fired++);
    vi.advanceTimersByTime(60 * day - 1);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(2);
    expect(fired).toBe(1);
    cancel();
    cancel();
    vi.advanceTimersByTime(10 * day);
    expect(fired).toBe(1);
  });

  it("wakes a sleeper early when its signal aborts, and leaves no timer", async () => {
    vi.useFakeTimers();
    const stopping = new AbortController();
    const slept = sleep(realWorld(), 60_000, stopping.signal);
    stopping.abort();
    await slept;
    expect(vi.getTimerCount()).toBe(0);
    await sleep(realWorld(), 60_000, stopping.signal);
  });
});
