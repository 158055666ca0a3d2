// Room: store. Puts the PostgreSQL store together: one connection for each kind of hot statement, a batcher in front of each kind of write.
// Built by main (and by tests) with the connection of the embedded or the user's database. Call `migrate` once before anything else.
import type { Logger } from "../../platform/log.ts";
import type { Cancel, World } from "../../platform/world.ts";
import type { QuestionStore } from "../question-rows.ts";
import type { Bus, Intake, IntakeResult, OpenedTask, RunChange, Store, TaskVerdict, TaskWrite } from "../store.ts";
import { Batcher, type BatchKind } from "./batcher.ts";
import { PostgresBus } from "./bus.ts";
import { PostgresCatalog } from "./catalog.ts";
import { runChanges } from "./change-run.ts";
import { Claims } from "./claim.ts";
import { PostgresConnections } from "./connections.ts";
import { type Counters, createCounters } from "./counters.ts";
import { persist } from "./failures.ts";
import { requireFit } from "./fitness.ts";
import { GateKeeper } from "./gate-keeper.ts";
import { INTAKE_PATIENCE_MS, intakes, isBulky } from "./intake.ts";
import { PostgresValues } from "./key-values.ts";
import { type Connection, Link, type LinkNeeds } from "./link.ts";
import { alone, migrate } from "./migrate.ts";
import { type OpenRequest, taskOpenings } from "./open-task.ts";
import { PostgresOutside } from "./outside.ts";
import { dropExpired, makeWeeks, type Retention, weeksAround } from "./partitions.ts";
import { PostgresQuestions } from "./questions.ts";
import { createReader, type Reader } from "./reader.ts";
import { Reads } from "./reads.ts";
import { taskReports } from "./record-task.ts";
import { PostgresStatuses } from "./run-statuses.ts";
import { PostgresSchedules } from "./schedules.ts";
import { statement } from "./statements.ts";
import { changeWaitingEvent } from "./waiting-events.ts";
import { weekOf } from "./weeks.ts";

export interface PostgresStore {
  store: Store;
  bus: Bus;
  reader: Reader;
  /** For servers that share the database. */
  questions: QuestionStore;
  counters: Counters;
  /** Brings the tables up to date and makes those of the weeks around `now`. */
  migrate(): Promise<void>;
  /** Call hourly, with the current epoch milliseconds. */
  ensurePartitions(now: number): Promise<void>;
  /** Drops weeks older than the retention unless a live run needs them; answers the tables dropped. */
  dropExpired(now: number, retention: Retention): Promise<string[]>;
  /** Call now and then: looks for parked work that nobody invited, of which there should be none. Answers the queues in which it became due. */
  inviteForgotten(now: number): Promise<string[]>;
  /** Call hourly: forgets gates at which nobody was for an hour. */
  forgetIdleGates(now: number): Promise<void>;
  /** Waits for writes under way, then closes every connection; also `store.close()`. */
  close(): Promise<void>;
}

export interface PostgresStoreOptions {
  connection: Connection;
  world: World;
  log: Logger;
}

const WORK_PATIENCE_MS = 60_000;
const PING_PATIENCE_MS = 2_000;
/** How long a close waits for writes when the database does not answer. */
const CLOSE_PATIENCE_MS = 10_000;

interface Parts {
  links: Record<"record" | "unfenced" | "change" | "intake" | "intake2" | "bulky" | "misc" | "claim" | "gates", Link>;
  gates: GateKeeper;
  reads: Reads;
  world: World;
  counters: Counters;
  connection: Connection;
}

/**
 * Opens the PostgreSQL store; connections are made when first used, and made again when they break.
 *
 * @example
 * const { store, bus, migrate } = createPostgresStore({ connection: { connectionString: process.env.DATABASE_URL }, world, log: world.log });
 * await migrate();
 */
export function createPostgresStore({ connection, world, log }: PostgresStoreOptions): PostgresStore {
  const counters = createCounters();
  const needs: LinkNeeds = { connection, log, counters };
  const link = (name: string): Link => new Link(needs, name);
  const readLinks = [link("read 1"), link("read 2")];
  const links = {
    record: link("record"),
    unfenced: link("unfenced"),
    change: link("change"),
    intake: new Link(needs, "intake 1", { queryTimeoutMs: INTAKE_PATIENCE_MS }),
    intake2: new Link(needs, "intake 2", { queryTimeoutMs: INTAKE_PATIENCE_MS }),
    bulky: new Link(needs, "intake of large ones", { queryTimeoutMs: INTAKE_PATIENCE_MS }),
    misc: link("misc"),
    claim: link("claim"),
    gates: link("gates"),
  };
  const gates = new GateKeeper(links.gates, world);
  const parts: Parts = { links, gates, reads: new Reads(readLinks, world), world, counters, connection };
  const bus = new PostgresBus(new Link(needs, "bus", { settings: "set synchronous_commit = off" }), world, world.newId("server"));
  const reader = createReader(needs, world);
  // A large question keeps nobody else waiting.
  const asking = link("questions");
  const { store, idle } = storeOf(parts);
  let closing: Promise<void> | null = null;
  const closeAll = async (): Promise<void> => {
    await atMost(world, CLOSE_PATIENCE_MS, idle());
    await Promise.all([...Object.values(links), ...readLinks, bus, reader, asking].map((part) => part.close()));
  };
  const close = (): Promise<void> => {
    closing ??= closeAll();
    return closing;
  };
  return {
    store: { ...store, close },
    bus,
    reader,
    questions: new PostgresQuestions(asking, world),
    counters,
    migrate: () =>
      alone(connection, async (client) => {
        await requireFit(client);
        await migrate(client, world.now());
        await makeWeeks(client, weeksAround(world.now()));
      }),
    ensurePartitions: (now) => alone(connection, (client) => makeWeeks(client, weeksAround(now))),
    dropExpired: (now, retention) => alone(connection, (client) => dropExpired(client, now, retention)),
    inviteForgotten: (now) => gates.inviteForgotten(now),
    forgetIdleGates: (now) => gates.forgetIdle(now),
    close,
  };
}

async function atMost(world: World, ms: number, done: Promise<void>): Promise<void> {
  let cancel: Cancel = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = world.after(ms, resolve);
  });
  await Promise.race([done, late]);
  cancel();
}

/** The store itself, and a way to wait for its writes. */
function storeOf(parts: Parts): { store: Omit<Store, "close">; idle(): Promise<void> } {
  const { links, reads, world, counters } = parts;
  const batchers: { idle(): Promise<void> }[] = [];
  const batcher = <Item, Result>(kind: BatchKind<Item, Result>): Batcher<Item, Result> => {
    const made = new Batcher(kind, world, counters);
    batchers.push(made);
    return made;
  };
  const fenced = batcher<TaskWrite, TaskVerdict>(taskReports("record-task", [links.record]));
  const unfenced = batcher<TaskWrite, TaskVerdict>(taskReports("record-unfenced-task", [links.unfenced]));
  const openings = batcher<OpenRequest, OpenedTask | null>(taskOpenings(links.unfenced));
  const changes = batcher<RunChange, false | { due: string[] }>(runChanges(links.change, (id) => reads.run(null, id)));
  // Two batches of requests at once: measured 1.3 times the requests of one. Reports gain nothing by a second.
  const requests = batcher<Intake, IntakeResult>(intakesOf(parts, [links.intake, links.intake2]));
  const bulky = batcher<Intake, IntakeResult>(intakesOf(parts, [links.bulky]));
  const claims = new Claims(links.claim, world);
  const query = <Row extends object>(name: string, values: unknown[]): Promise<Row[]> =>
    persist(world, WORK_PATIENCE_MS, () => links.misc.query<Row>(statement(name), values));
  const store: Omit<Store, "close"> = {
    catalog: new PostgresCatalog(links.misc, world, parts.gates),
    outside: new PostgresOutside(links.misc, world),
    values: new PostgresValues(links.misc, world),
    statuses: new PostgresStatuses(links.misc, world),
    schedules: new PostgresSchedules(links.misc, world),
    connections: new PostgresConnections(links.misc, world),
    intake: (item) => (isBulky(item) ? bulky : requests).add(item),
    claim: (request, decide) => claims.claim(request, decide),
    renew: async (tokens, until, owner) => tokensOf(await query("renew", [tokens, Math.ceil(until), owner])),
    adopt: async (tokens, until, owner) => tokensOf(await query("adopt", [tokens, Math.ceil(until), owner])),
    releaseOwners: async (owners, now, runsAt) => (await query("release-owners", [owners, now, runsAt])).length,
    recordTask: (write) => (write.token === null ? unfenced : fenced).add(write),
    openTask: (environmentId, task) => openings.add({ environmentId, task }),
    changeRun: (change) => changes.add(change),
    changeEvent: (rowId, change) => changeWaitingEvent({ link: links.misc, world }, rowId, change),
    run: (environmentId, id) => reads.run(environmentId, id),
    runsOfEvent: (eventRowId) => reads.runsOfEvent(eventRowId),
    skipsOfEvent: (eventRowId) => reads.skipsOfEvent(eventRowId),
    tasks: (runId, options) => reads.tasks(runId, options),
    event: (environmentId, by) => reads.event(environmentId, by),
    delivery: (environmentId, id) => reads.delivery(environmentId, id),
    ping: async () => {
      await persist(world, PING_PATIENCE_MS, () => links.misc.query(statement("ping")));
    },
  };
  return { store, idle: async () => void (await Promise.all(batchers.map((one) => one.idle()))) };
}

function tokensOf(rows: { token: string }[]): Set<string> {
  return new Set(rows.map(({ token }) => token));
}

/** @param links one a lane */
function intakesOf({ reads, connection }: Parts, links: Link[]): BatchKind<Intake, IntakeResult> {
  return intakes({
    links,
    makeWeeks: (items) => alone(connection, (client) => makeWeeks(client, weeksOf(items))),
    delivery: (id) => reads.delivery(null, id),
    hasRun: async (id) => (await reads.run(null, id)) !== null,
  });
}

/** The weeks the ids of these intakes lie in. */
function weeksOf(items: Intake[]): number[] {
  const weeks = items.flatMap(({ delivery, event, runs }) => [
    delivery ? weekOf("deliveries", delivery.id) : null,
    event ? weekOf("events", event.rowId) : null,
    ...runs.map(({ id }) => weekOf("runs", id)),
  ]);
  return [...new Set(weeks.filter((week) => week !== null))];
}
