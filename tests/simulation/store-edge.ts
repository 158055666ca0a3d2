// Simulation: the way from one server to the store. Every operation is one event at the store; on the way there and back it may be slow, fail, be applied
// without an answer, be applied twice, or be applied after its caller gave up. What the store answered is written to the history for the judge.

import type { CatalogStore } from "../../packages/server/src/store/catalog-rows.ts";
import type { StatusStore, ValueStore } from "../../packages/server/src/store/kept-rows.ts";
import type { ScheduleStore } from "../../packages/server/src/store/schedule-rows.ts";
import type {
  Claim,
  ClaimRequest,
  Intake,
  OutsideStore,
  RunChange,
  RunRow,
  Store,
} from "../../packages/server/src/store/store.ts";
import type { Chance } from "./chance.ts";
import type { Scene } from "./scene.ts";
import type { Actor } from "./timeline.ts";

interface Operation<T> {
  name: string;
  apply: () => Promise<T>;
  /** For the history, once the store has answered the first time. */
  note?: (answer: T) => void;
  /** Noted each time it is applied. */
  counts?: boolean;
  /** A transaction of several round trips: it cannot end without its server. Such a one is never applied twice or late. */
  held?: boolean;
}

interface Answer<T> {
  answered: (answer: T) => void;
  refused: (error: unknown) => void;
}

const READS = new Set([
  "run",
  "runsOfEvent",
  "skipsOfEvent",
  "tasks",
  "event",
  "delivery",
  "ping",
  "catalog",
  "value",
  "schedule",
]);

/** A store as one server sees it. */
export function storeEdge(scene: Scene, server: Actor, store: Store): Store {
  const edge = new Edge(scene, server);
  const read = <A extends unknown[], T>(name: string, call: (...args: A) => Promise<T>) => {
    return (...args: A): Promise<T> => edge.pass({ name, apply: () => call(...args) });
  };
  return {
    catalog: catalogEdge(store.catalog, read),
    outside: outsideEdge(store.outside, edge),
    ...keptEdge(store, read),
    schedules: schedulesEdge(store.schedules, read),
    intake: (item) =>
      edge.pass({
        name: "intake",
        apply: () => store.intake(item),
        note: ({ type }) => type === "stored" && edge.stored(item),
      }),
    claim: (request, decide) =>
      edge.pass({
        name: "claim",
        held: true,
        apply: () => store.claim(request, decide),
        note: (claim) => edge.claimed(claim, request),
      }),
    ...leasesEdge(store, edge, scene),
    recordTask: (write) => {
      const { task, token } = write;
      const { runId: run, key, status, attempts: attempt } = task;
      return edge.pass({
        name: "recordTask",
        apply: () => store.recordTask(write),
        note: (verdict) => {
          if (verdict === "recorded") scene.note("store", { what: "recorded", run, token, key, status, attempt, carried: false });
        },
      });
    },
    openTask: (environmentId, task) => edge.pass({ name: "openTask", apply: () => store.openTask(environmentId, task) }),
    changeRun: (change) =>
      edge.pass({
        name: "changeRun",
        apply: () => store.changeRun(change),
        note: (done) => done && edge.changed(change),
      }),
    changeEvent: read("changeEvent", (...args: Parameters<Store["changeEvent"]>) => store.changeEvent(...args)),
    run: read("run", (environmentId: string | null, id: string) => store.run(environmentId, id)),
    runsOfEvent: read("runsOfEvent", (id: string) => store.runsOfEvent(id)),
    skipsOfEvent: read("skipsOfEvent", (id: string) => store.skipsOfEvent(id)),
    tasks: read("tasks", (...args: Parameters<Store["tasks"]>) => store.tasks(...args)),
    event: read("event", (...args: Parameters<Store["event"]>) => store.event(...args)),
    delivery: read("delivery", (environmentId: string, id: string) => store.delivery(environmentId, id)),
    ping: read("ping", () => store.ping()),
    close: async () => {},
  };
}

/** Everything in it is safe to repeat, so each is a message that may be lost on either way. */
function outsideEdge(outside: OutsideStore, edge: Edge): OutsideStore {
  const pass = <A extends unknown[], T>(name: string, call: (...args: A) => Promise<T>) => {
    return (...args: A): Promise<T> => edge.pass({ name, apply: () => call(...args) });
  };
  return {
    addWaiter: pass("addWaiter", (...args: Parameters<OutsideStore["addWaiter"]>) => outside.addWaiter(...args)),
    waiters: pass("waiters", (...args: Parameters<OutsideStore["waiters"]>) => outside.waiters(...args)),
    dropWaiters: pass("dropWaiters", (ids: string[]) => outside.dropWaiters(ids)),
    forgetWaiters: pass("forgetWaiters", (before: number) => outside.forgetWaiters(before)),
    tellWaiter: pass("tellWaiter", (...args: Parameters<OutsideStore["tellWaiter"]>) => outside.tellWaiter(...args)),
    addOutbound: pass("addOutbound", (...args: Parameters<OutsideStore["addOutbound"]>) => outside.addOutbound(...args)),
    dropOutbound: pass("dropOutbound", (ids: string[]) => outside.dropOutbound(ids)),
    finish: pass("finish", (work: { id: string; token: string }) => outside.finish(work)),
  };
}

function leasesEdge(store: Store, edge: Edge, scene: Scene): Pick<Store, "renew" | "adopt" | "releaseOwners"> {
  return {
    renew: (tokens, until, owner) =>
      edge.pass({
        name: "renew",
        counts: true,
        apply: () => store.renew(tokens, until, owner),
        note: (held) => {
          for (const token of held) scene.note("store", { what: "renewed", token, owner, until: Math.ceil(until) });
        },
      }),
    adopt: (tokens, until, owner) =>
      edge.pass({
        name: "adopt",
        counts: true,
        apply: () => store.adopt(tokens, until, owner),
        note: (held) => {
          for (const token of held) scene.note("store", { what: "adopted", token, owner, until: Math.ceil(until) });
        },
      }),
    releaseOwners: (owners, now, runsAt) =>
      edge.pass({
        name: "releaseOwners",
        counts: true,
        apply: () => store.releaseOwners(owners, now, runsAt),
        note: () => scene.note("store", { what: "released", owners, until: runsAt }),
      }),
  };
}

type Read = <A extends unknown[], T>(name: string, call: (...args: A) => Promise<T>) => (...args: A) => Promise<T>;

function catalogEdge(catalog: CatalogStore, read: Read): CatalogStore {
  return {
    environments: read("catalog", () => catalog.environments()),
    saveEnvironment: read("saveEnvironment", (row: Parameters<CatalogStore["saveEnvironment"]>[0]) =>
      catalog.saveEnvironment(row),
    ),
    apps: read("catalog", () => catalog.apps()),
    saveApp: read("saveApp", (...given: Parameters<CatalogStore["saveApp"]>) => catalog.saveApp(...given)),
    noteProcesses: read("noteProcesses", (...given: Parameters<CatalogStore["noteProcesses"]>) =>
      catalog.noteProcesses(...given),
    ),
    noteApp: read("noteApp", (...given: Parameters<CatalogStore["noteApp"]>) => catalog.noteApp(...given)),
    endpoints: read("catalog", () => catalog.endpoints()),
    saveEndpoint: read("saveEndpoint", (row: Parameters<CatalogStore["saveEndpoint"]>[0]) => catalog.saveEndpoint(row)),
    changeSource: read("changeSource", (...given: Parameters<CatalogStore["changeSource"]>) => catalog.changeSource(...given)),
    setting: read("catalog", (key: string) => catalog.setting(key)),
    changeSetting: read("changeSetting", (key: string, former: string | null, value: string) =>
      catalog.changeSetting(key, former, value),
    ),
    saveLimits: read("saveLimits", (...args: Parameters<CatalogStore["saveLimits"]>) => catalog.saveLimits(...args)),
    revision: read("catalog", () => catalog.revision()),
  };
}

/** No program of the simulation needs connections: they pass untouched. */
function keptEdge(store: Store, read: Read): Pick<Store, "values" | "statuses" | "connections"> {
  return {
    connections: store.connections,
    values: {
      get: read("value", (...args: Parameters<ValueStore["get"]>) => store.values.get(...args)),
      set: read("setValue", (...args: Parameters<ValueStore["set"]>) => store.values.set(...args)),
      delete: read("deleteValue", (...args: Parameters<ValueStore["delete"]>) => store.values.delete(...args)),
    },
    statuses: {
      save: read("saveStatus", (...args: Parameters<StatusStore["save"]>) => store.statuses.save(...args)),
      of: read("statuses", (runId: string) => store.statuses.of(runId)),
    },
  };
}

function schedulesEdge(schedules: ScheduleStore, read: Read): ScheduleStore {
  return {
    get: read("schedule", (...args: Parameters<ScheduleStore["get"]>) => schedules.get(...args)),
    byId: read("schedule", (id: string) => schedules.byId(id)),
    save: read("saveSchedule", (...args: Parameters<ScheduleStore["save"]>) => schedules.save(...args)),
    ticked: read("tickSchedule", (row: Parameters<ScheduleStore["ticked"]>[0]) => schedules.ticked(row)),
    delete: read("deleteSchedule", (...args: Parameters<ScheduleStore["delete"]>) => schedules.delete(...args)),
    overdue: read("schedule", (...args: Parameters<ScheduleStore["overdue"]>) => schedules.overdue(...args)),
  };
}

class Edge {
  readonly #chance: Chance;

  constructor(
    private readonly scene: Scene,
    private readonly server: Actor,
  ) {
    this.#chance = scene.chance(`store ${server.name}`);
  }

  pass<T>(operation: Operation<T>): Promise<T> {
    const { name, held = false } = operation;
    this.server.point(`${name} sent`);
    if (!this.server.alive) return new Promise(() => {});
    const writes = !READS.has(name);
    const silent = this.scene.strikes("storeSilent", this.#chance);
    if (this.scene.strikes("storeFails", this.#chance)) return this.#failing("The database could not be reached.");
    if (writes && !held && this.scene.strikes("storeLate", this.#chance)) {
      this.#apply(operation, this.#chance.within(2_000, 25_000), { answered: () => {}, refused: () => {} });
      return this.#failing("The database did not answer in time.", 2_000);
    }
    const twice = writes && !held && this.scene.strikes("storeTwice", this.#chance);
    return new Promise((resolve, reject) => {
      const back = (act: () => void) => {
        this.scene.timeline.after(this.#latency(), this.server, () => {
          this.server.point(`${name} answered`);
          if (silent) reject(new Error("The connection to the database broke."));
          else act();
        });
      };
      const refused = (error: unknown) => back(() => reject(error));
      const answered = (answer: T) => back(() => resolve(answer));
      const again = () =>
        this.#apply(operation.counts ? operation : { ...operation, note: () => {} }, this.#latency(), { answered, refused });
      this.#apply(operation, this.#latency(), { answered: twice ? again : answered, refused });
    });
  }

  #failing(message: string, ms = 0): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.scene.timeline.after(ms + this.#latency(), this.server, () => reject(new Error(message)));
    });
  }

  #apply<T>({ apply, note, held = false }: Operation<T>, ms: number, then: Answer<T>): void {
    this.scene.timeline.after(ms, held ? this.server : null, () => {
      void apply().then((answer) => {
        note?.(answer);
        then.answered(answer);
      }, then.refused);
    });
  }

  #latency(): number {
    return this.scene.strikes("storeSlow", this.#chance) ? this.#chance.within(100, 4_000) : this.#chance.within(0.3, 2);
  }

  /** Runs may be stored claimed. */
  stored({ runs, work }: Intake): void {
    for (const { id: run, state } of runs) {
      const { dueAt = 0, owner = "" } = work.find(({ id }) => id === run) ?? {};
      if (state.kind === "executing")
        this.scene.note("store", { what: "claimed", run, token: state.token, owner, now: dueAt, until: Math.ceil(dueAt) });
    }
  }

  claimed(claim: Claim, { owner, now, leaseUntil: until }: ClaimRequest): void {
    for (const change of claim.changes) this.changed(change);
    for (const { kind, token, ...item } of claim.items) {
      const run = kind === "run" ? (item as { run: RunRow }).run.id : "";
      if (run) this.scene.note("store", { what: "claimed", run, token, owner, now, until });
    }
  }

  changed({ before, after, tasks }: RunChange): void {
    for (const { task, token } of tasks) {
      const { key, status, attempts: attempt } = task;
      this.scene.note("store", { what: "recorded", run: before.id, token, key, status, attempt, carried: true });
    }
    const { state } = after;
    const shown =
      state.kind === "finished" ? `finished ${state.outcome.status}` : state.kind === "executing" ? state.token : state.kind;
    this.scene.note("store", { what: "changed", run: before.id, revision: before.revision, state: shown });
  }
}
