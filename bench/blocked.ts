// Bench: what a claim costs while very many runs wait at a limit: the same queue, empty, and then with a backlog that was really parked (the first run of it)
// and copied in the database (all others). Called by measures.ts.
import type { Flow } from "@holdfast/engine";
import { silentLogger } from "../packages/server/src/platform/log.ts";
import { createPostgresStore } from "../packages/server/src/store/postgres/postgres-store.ts";
import {
  apply,
  claim,
  sampleEvent,
  sampleIntake,
  sampleRun,
  unique,
  world,
} from "../packages/server/src/store/samples.conformance.ts";
import type { RunRow, Store } from "../packages/server/src/store/store.ts";
import { embeddedConnection } from "../tests/harness/embedded-connection.ts";
import type { Figure } from "./figure.ts";
import type { Stand } from "./stand.ts";
import { percentile } from "./statistics.ts";

const CLAIMS = 400;

/** @param backlog runs that wait, up to 9,999,999 */
export async function blocked(stand: Stand, backlog: number): Promise<Figure[]> {
  const connection = embeddedConnection(stand.server.dataDir) as Parameters<typeof createPostgresStore>[0]["connection"];
  const { store, close } = createPostgresStore({ connection, world, log: silentLogger });
  try {
    const queue = unique("bench");
    await claims(store, queue);
    const empty = await claims(store, queue);
    await fill(stand, store, queue, backlog);
    const full = await claims(store, queue);
    await clear(stand, queue);
    const [before, after] = [percentile(empty, 0.5), percentile(full, 0.5)];
    return [
      { name: "a claim, nothing waiting, p50", value: before, unit: "ms" },
      { name: `a claim, ${backlog.toLocaleString("en")} runs waiting, p50`, value: after, unit: "ms" },
      { name: "a claim, nothing waiting, p99", value: percentile(empty, 0.99), unit: "ms" },
      { name: `a claim, ${backlog.toLocaleString("en")} runs waiting, p99`, value: percentile(full, 0.99), unit: "ms" },
      { name: "with the backlog against without, p50", value: (after / before) * 100, unit: "%" },
    ];
  } finally {
    await close();
  }
}

function flowAt(gate: string, limit: number): Flow {
  return { gates: [{ id: gate, rule: gate, limit }], priority: 0 };
}

async function send(store: Store, queue: string, flows: Flow[]): Promise<RunRow[]> {
  const now = world.now();
  const event = sampleEvent({ createdAt: now });
  const runs = flows.map((flow) => sampleRun(event, { appId: queue, flow, createdAt: now }));
  await store.intake(sampleIntake(event, runs));
  return runs;
}

/** Milliseconds of claims that each find one run, which passes a gate with room. */
async function claims(store: Store, queue: string): Promise<number[]> {
  const times: number[] = [];
  const flow = flowAt(`${queue} open`, 1_000);
  for (let i = 0; i < CLAIMS; i++) {
    await send(store, queue, [flow]);
    const now = world.now() + 1;
    const from = world.monotonic();
    const { items } = await claim(store, [queue], { now });
    times.push(world.monotonic() - from);
    const [item] = items;
    if (item?.kind !== "run") throw new Error("the claim found no run");
    await apply(store, item.run, { type: "succeeded", token: item.token, output: null }, {}, now);
  }
  return times;
}

/** Nobody will ever execute the backlog, and the measures after this one wait until no run is unfinished. */
async function clear(stand: Stand, queue: string): Promise<void> {
  await stand.database.query("delete from parked where queue = $1", [queue]);
  await stand.database.query("delete from slots where run_id in (select id from work where queue = $1)", [queue]);
  await stand.database.query("delete from work where queue = $1", [queue]);
  await stand.database.query("delete from runs where app_id = $1", [queue]);
}

/** One run holds the only slot, one waits for it, and the rest are copies of that one. */
async function fill(stand: Stand, store: Store, queue: string, backlog: number): Promise<void> {
  const shut = flowAt(`${queue} shut`, 1);
  await send(store, queue, [shut]);
  await claim(store, [queue], { now: world.now() + 1, until: world.now() + 3_600_000 });
  const [waiting] = await send(store, queue, [shut]);
  if (!waiting) throw new Error("no run was stored");
  const { rows } = await stand.database.query<{ name: string }>(
    "select string_agg(quote_ident(attname), ', ') as name from pg_attribute where attrelid = 'runs'::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attname <> 'id'",
  );
  const columns = rows[0]?.name;
  const copies = "left($1, -7) || lpad(i::text, 7, '0')";
  await stand.database.query(
    `insert into runs (id, ${columns}) select ${copies}, ${columns} from runs, generate_series(1, $2::int) i where id = $1`,
    [waiting.id, backlog - 1],
  );
  await stand.database.query(
    `insert into parked (run_id, gate, queue, priority, turn, invited)
     select ${copies}, gate, queue, priority, turn, invited from parked, generate_series(1, $2::int) i where run_id = $1`,
    [waiting.id, backlog - 1],
  );
  await stand.database.query("analyze parked; analyze runs");
}
