// Bench: very many runs that sleep at once: all due at one moment, and a hundred thousand that are due one after the other. Called by measures.ts.
import { setTimeout as pause } from "node:timers/promises";
import type { Figure } from "./figure.ts";
import type { Stand } from "./stand.ts";
import { percentile } from "./statistics.ts";

/** How many wake in a second when they do not wake at once. */
const A_SECOND = 1_000;
/** Runs that begin and fall asleep in a second: below what the slowest machine seen does. */
const ASLEEP_A_SECOND = 700;
const SETTLE_MS = 3_000;

/** @param count that are due at the same moment */
export async function sleepersAtOnce(stand: Stand, count: number): Promise<Figure[]> {
  const due = Date.now() + SETTLE_MS + (count * 1_000) / ASLEEP_A_SECOND;
  return late(await slept(stand, count, () => due), `${count.toLocaleString("en")} due at once`);
}

/** @param count that sleep all together before the first is due */
export async function sleepersInTurn(stand: Stand, count: number): Promise<Figure[]> {
  const first = Date.now() + SETTLE_MS + (count * 1_000) / ASLEEP_A_SECOND;
  const times = await slept(stand, count, (i) => first + (i * 1_000) / A_SECOND);
  return late(times, `${count.toLocaleString("en")} asleep, ${A_SECOND.toLocaleString("en")} due a second`);
}

/** Milliseconds from when each was due until its next line ran. */
async function slept(stand: Stand, count: number, dueOf: (i: number) => number): Promise<number[]> {
  let next = 0;
  const submitter = async () => {
    for (let i = next++; i < count; i = next++) await stand.send("sleep", { due: Math.ceil(dueOf(i)) });
  };
  await Promise.all(Array.from({ length: 50 }, submitter));
  const left = dueOf(0) - Date.now();
  if (left < 0) throw new Error("not all of them slept when the first was due");
  if ((await stand.waiting()) > count) throw new Error("others sleep, too");
  while ((await stand.waiting()) < count) {
    if (Date.now() > dueOf(0)) throw new Error(`${await stand.waiting()} of ${count} slept when the first was due`);
    await pause(100);
  }
  const withinMs = dueOf(count - 1) - Date.now() + 60_000;
  const times = (await stand.finished(count, withinMs)).map(({ lateMs = Number.NaN }) => lateMs);
  if (!times.every((ms) => ms >= 0)) throw new Error("one woke early");
  return times;
}

function late(times: readonly number[], which: string): Figure[] {
  return [
    { name: `${which}: late, p50`, value: percentile(times, 0.5), unit: "ms" },
    { name: `${which}: late, p99`, value: percentile(times, 0.99), unit: "ms" },
  ];
}
