import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MemoryStore } from "../memory/memory-store.ts";
import { play, steps } from "../sequences.conformance.ts";
import type { Store } from "../store.ts";
import { run, startTestDatabase, type TestDatabase } from "./database.conformance.ts";
import type { PostgresStore } from "./postgres-store.ts";

let database: TestDatabase;
let postgres: PostgresStore & { connection: Awaited<ReturnType<TestDatabase["fresh"]>> };
beforeAll(async () => {
  database = await startTestDatabase();
  postgres = await database.store();
});
afterAll(() => database?.stop());

type Game = Awaited<ReturnType<typeof play>>["play"];

/** Every row the game made, read through the interface. */
async function rowsOf(store: Store, { environmentId, runs, events, deliveries }: Game): Promise<unknown> {
  const list = <T, R>(items: T[], read: (item: T) => Promise<R>): Promise<R[]> => Promise.all(items.map(read));
  return {
    runs: await list(runs, ({ id }) => store.run(null, id)),
    tasks: await list(runs, async ({ id }) => (await store.tasks(id)).sort((a, b) => (a.key < b.key ? -1 : 1))),
    events: await list(events, ({ rowId }) => store.event(null, { rowId })),
    named: await list(events, ({ id }) => store.event(environmentId, { id })),
    deliveries: await list(deliveries, async (id) => ({ ...(await store.delivery(environmentId, id)), body: null })),
  };
}

/** Who holds slots, who is parked where, and what the gates count. */
async function gatesOf(ids: string[]): Promise<unknown> {
  const ask = <Row extends object>(sql: string, values: unknown[] = [ids]) => run<Row>(postgres.connection, sql, values);
  const slots = await ask<{ gate: string }>("select run_id, gate from slots where run_id = any($1) order by run_id, gate");
  const parked = await ask(
    "select run_id, gate, queue, priority, turn::float8 as turn, invited from parked where run_id = any($1) order by run_id",
  );
  const held = [...new Set(slots.map(({ gate }) => gate))].sort();
  const used = await ask("select id, used, turn::float8 as turn from gates where id = any($1) order by id", [held]);
  return { slots, parked, used };
}

function gatesIn({ tables: { gates } }: MemoryStore): unknown {
  const byRun = <T extends { run_id: string }>(rows: T[]) => rows.sort((a, b) => (a.run_id < b.run_id ? -1 : 1));
  const slots = byRun([...gates.slots].flatMap(([id, held]) => held.map((gate) => ({ run_id: id, gate }))));
  const parked = byRun([...gates.parked].map(([id, row]) => ({ run_id: id, ...row })));
  const held = [...new Set(slots.map(({ gate }) => gate))].sort();
  const used = held.map((id) => ({ id, used: slots.filter(({ gate }) => gate === id).length, turn: gates.turns.get(id) ?? 0 }));
  return { slots, parked, used };
}

it("says and keeps the same as the memory store, whatever is done in whatever order", { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const memory = new MemoryStore();
      const { answers, play: game } = await play(given, [memory, postgres.store]);
      for (const [first, second] of answers) expect(second).toEqual(first);
      expect(await rowsOf(postgres.store, game)).toEqual(await rowsOf(memory, game));
      const ids = [...game.runs.map(({ id }) => id), ...game.deliveries];
      const work = await run(
        postgres.connection,
        "select id, kind, queue, due_at::float8 as due, token, owner, attempts from work where id = any($1) order by id",
        [ids],
      );
      const kept = [...memory.tables.work.values()].map(({ dueAt, ...rest }) => ({ ...rest, due: dueAt }));
      expect(work).toEqual(kept.sort((a, b) => (a.id < b.id ? -1 : 1)));
      expect(await gatesOf(ids)).toEqual(gatesIn(memory));
    }),
    { numRuns: Number(200) },
  );
});
