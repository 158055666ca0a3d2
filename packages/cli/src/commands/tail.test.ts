// Room: commands. What `runs tail` does while its server is away.
import { idFloor, type RunSummary } from "@holdfast/protocol";
import { expect, test } from "vitest";
import type { Api } from "../api/api.ts";
import { CommandError, explain } from "../output/exit-codes.ts";
import { followRuns } from "./tail.ts";

const ids = new Map<string, string>();
/** A run that was made in that second. */
function run(second: string, status = "SUCCESS"): RunSummary {
  const id = `run_${idFloor(Math.round(Number(second) * 1_000))}`;
  ids.set(id, second);
  return { id, status } as RunSummary;
}
const unreachable = () => new CommandError("SERVER_UNREACHABLE", "No server answers.");

/** Follows runs on a clock of its own; `answers` are given one a second, newest runs first, and then nothing changes until it is over. */
async function following(answers: (RunSummary[] | Error)[], then: RunSummary[] | Error = []) {
  const stop = new AbortController();
  let now = 0;
  const world = {
    now: () => now,
    after: (ms: number, act: () => void) => {
      now += ms;
      setImmediate(act);
      return () => {};
    },
  };
  const get = async () => {
    const answer = answers.shift() ?? then;
    if (answers.length === 0 && !(then instanceof Error)) stop.abort();
    if (answer instanceof Error) throw answer;
    return { items: answer };
  };
  const api = { get, inEnvironment: () => "/runs" } as unknown as Api;
  const shown: string[] = [];
  let away = 0;
  const show = ({ id, status }: RunSummary) => shown.push(`${ids.get(id)} ${status}`);
  const end = await followRuns(world, api, { query: {}, show, away: () => away++, signal: stop.signal }).catch(
    (error: unknown) => explain(error).exit,
  );
  return { shown, away, end, took: now };
}

test("a server that is restarted is waited for, and what happened meanwhile is shown", async () => {
  const gone = [unreachable(), new CommandError("INTERNAL", "Bad gateway"), new CommandError("DATABASE_UNREACHABLE", "Starting")];
  const [before, after] = [
    [run("2", "EXECUTING"), run("1")],
    [run("3"), run("2"), run("1")],
  ];
  const told = await following([[run("1")], before, ...gone, after, unreachable(), after, []]);
  expect(told).toMatchObject({ shown: ["2 EXECUTING", "2 SUCCESS", "3 SUCCESS"], away: 2, end: undefined });
});

test("one that does not come back ends it with 5 after half a minute", async () => {
  const { end, away, took } = await following([[], [run("1")]], unreachable());
  expect({ end, away }).toEqual({ end: 5, away: 1 });
  expect(took).toBeGreaterThanOrEqual(30_000);
  expect(took).toBeLessThan(35_000);
});

test("nothing is waited for at the start, nor for a key that does not count any more", async () => {
  expect(await following([unreachable()], unreachable())).toMatchObject({ end: 5, away: 0 });
  const refused = new CommandError("UNAUTHORIZED", "Another key.");
  expect(await following([[], refused], unreachable())).toMatchObject({ end: 4, away: 0 });
});

test("runs that are stored after later ones are shown, each once, however often the later ones are seen", async () => {
  const [one, late, three, thirty] = ["1", "2", "3", "30"].map((second) => run(second));
  const given = [
    [],
    [three, one],
    [three, late, one],
    [three, late, one],
    [thirty, three, late, one],
    [thirty, three, late, one],
  ];
  const { shown } = await following(given as RunSummary[][]);
  expect(shown).toEqual(["1 SUCCESS", "3 SUCCESS", "2 SUCCESS", "30 SUCCESS"]);
});

test("of very many runs each is shown once, though only the newest are asked for", async () => {
  const all = Array.from({ length: 1_000 }, (_, i) => run(String(i / 50)));
  const windows = Array.from({ length: 20 }, (_, i) =>
    all
      .slice(0, (i + 1) * 50)
      .toReversed()
      .slice(0, 200),
  );
  const { shown } = await following([[], ...windows, windows.at(-1) ?? []]);
  expect(shown).toHaveLength(1_000);
  expect(new Set(shown).size).toBe(1_000);
});
