// Room: execute. Questions to an app that is connected to another server, over a bus that may lose every word.
import { beforeEach, expect, it } from "vitest";
import { LocalBus } from "../store/local-bus.ts";
import type { QuestionStore } from "../store/question-rows.ts";
import { world } from "../store/samples.conformance.ts";
import type { BusMessage } from "../store/store.ts";
import type { Question } from "./connection.ts";
import { Elsewhere } from "./elsewhere.ts";

const QUESTION = { t: "verify", endpoint: "asked", request: { url: "x" } } as Question;
let rows: Map<string, { text: string; isTaken: boolean; answerText: string | null }>;
let questions: QuestionStore;
/** Timers fire when the test says so. */
let due: (() => void)[];
beforeEach(() => {
  rows = new Map();
  due = [];
  questions = {
    ask: async ({ id, text }) => void rows.set(id, { text, isTaken: false, answerText: null }),
    take: async (id) => {
      const row = rows.get(id);
      if (!row || row.isTaken) return null;
      row.isTaken = true;
      return row.text;
    },
    answer: async (id, answerText) => {
      const row = rows.get(id);
      if (row) row.answerText = answerText;
    },
    state: async (id) => rows.get(id) ?? null,
    drop: async (id) => void rows.delete(id),
    forget: async () => {},
  };
});

function server(bus: LocalBus, has: boolean, asked: string[] = []): Elsewhere {
  const after = (_ms: number, fn: () => void) => {
    due.push(fn);
    return () => {
      due = due.filter((one) => one !== fn);
    };
  };
  const ask = async (appId: string, question: Question) => {
    asked.push(`${appId} ${question.t}`);
    return { value: { success: true } };
  };
  return new Elsewhere({ world: { ...world, after }, bus, questions, hub: { reachable: () => has, ask } });
}

it("one of the servers that have the app asks it, and nothing is left behind", async () => {
  const bus = new LocalBus();
  const asked: string[] = [];
  const here = server(bus, false);
  for (const has of [true, true, false]) server(bus, has, asked);
  expect(await here.ask("app_1", QUESTION)).toEqual({ value: { success: true } });
  expect(asked).toEqual(["app_1 verify"]);
  expect([rows.size, due]).toEqual([0, []]);
});

it("an answer is found though its news is lost", async () => {
  const bus = new LocalBus();
  const lossy = new LocalBus();
  lossy.publish = (message: BusMessage) => message.type === "ask" && bus.publish(message);
  const here = server(lossy, false);
  server(bus, true);
  const answer = here.ask("app_1", QUESTION);
  await expect.poll(() => [...rows.values()].map(({ answerText }) => answerText !== null)).toEqual([true]);
  due.shift()?.();
  expect(await answer).toEqual({ value: { success: true } });
});

it("an app that no server has is not waited for", async () => {
  const bus = new LocalBus();
  const here = server(bus, false);
  server(bus, false);
  const answer = here.ask("app_1", QUESTION);
  await expect.poll(() => rows.size).toBe(1);
  due.shift()?.();
  expect(await answer).toMatchObject({ type: "no-answer" });
  expect([rows.size, due]).toEqual([0, []]);
});

it("says whether any server has an app", async () => {
  const bus = new LocalBus();
  const here = server(bus, false);
  const absent = here.has("app_1");
  due.shift()?.();
  expect(await absent).toBe(false);
  server(bus, true);
  expect([await here.has("app_1"), due]).toEqual([true, []]);
});
