// Large intakes keep nobody waiting: while their statements are under way, however long that takes, small ones are stored.
import pg from "pg";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { sampleDelivery, sampleEvent, sampleIntake, sampleRun } from "../samples.conformance.ts";
import { startTestDatabase, type TestDatabase } from "./database.conformance.ts";

const MB = 1024 * 1024;

let database: TestDatabase;
beforeEach(async () => {
  database = await startTestDatabase();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await database?.stop();
});

it("stores small ones while large ones are on their way, and then those", async () => {
  const { store } = await database.store();
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const query = pg.Client.prototype.query as (this: pg.Client, ...given: unknown[]) => Promise<pg.QueryResult>;
  vi.spyOn(pg.Client.prototype, "query").mockImplementation(async function (this: pg.Client, ...given: unknown[]) {
    const { values = [] } = given[0] as { values?: unknown[] };
    if (values.some((value) => ((value as string | Uint8Array | null)?.length ?? 0) > MB)) await held;
    return query.apply(this, given);
  } as never);
  const intakeOf = (payloadText: string) => {
    const event = sampleEvent({ payloadText });
    return sampleIntake(event, [sampleRun(event)]);
  };
  const large = JSON.stringify("x".repeat(2 * MB));
  const requests = Array.from({ length: 10 }, () => sampleDelivery({ verdict: "pending", body: Buffer.alloc(2 * MB, "x") }));
  const waiting = [
    ...Array.from({ length: 10 }, () => store.intake(intakeOf(large))),
    ...requests.map((delivery) => store.intake({ delivery, event: null, runs: [], work: [], done: null })),
  ];
  const small = await Promise.all(Array.from({ length: 10 }, () => store.intake(intakeOf("{}"))));
  expect(small.map(({ type }) => type)).toEqual(Array(10).fill("stored"));
  letGo();
  expect((await Promise.all(waiting)).map(({ type }) => type)).toEqual(Array(20).fill("stored"));
});
