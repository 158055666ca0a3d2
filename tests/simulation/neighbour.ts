// Simulation: another environment on the same servers, whose app and services never answer, and which has more due than servers take at once: runs, requests to
// be verified, requests to be made. It is there in some seeds only, from before the first boot. Nobody expects it to get anywhere; it must hold up nobody.
import { newRun } from "@holdfast/engine";
import { makeId } from "@holdfast/protocol";
import type { HttpOutcome, HttpRequest } from "../../packages/server/src/platform/http-client.ts";
import type { MemoryStore, Tables } from "../../packages/server/src/store/memory/memory-store.ts";
import { outsideQueue, verifyQueue } from "../../packages/server/src/store/queues.ts";
import type { AppRow, EnvironmentRow, EventRow } from "../../packages/server/src/store/store.ts";
import { API_KEY } from "./app.ts";
import type { Chance } from "./chance.ts";
import { EPOCH, type Scene } from "./scene.ts";
import type { Actor } from "./timeline.ts";

/** How many seeds have one, and how much of each kind of work it has. */
const SHARE = 0.2;
const CROWD = 130;

const HOST = "neighbour.simulation";
const ENVIRONMENT: EnvironmentRow = {
  id: "env_neighbour",
  slug: "prod",
  type: "PRODUCTION",
  secretKeyHash: "neighbour",
  secretKeySealed: API_KEY,
  secretKeyPreview: "",
  publicKey: "pk_prod_neighbour",
  createdAt: EPOCH,
};
const { id: environmentId } = ENVIRONMENT;
const INDEX = { sources: [], dynamicTriggers: [], dynamicSchedules: [], holdfast: { sdk: "0" } };
const APP = {
  id: "app_neighbour",
  environmentId,
  slug: "neighbour",
  transport: "push",
  url: `http://${HOST}/`,
  sdk: null,
  lastError: null,
  index: { jobs: [], httpEndpoints: [{ id: "hook", version: "1", enabled: true, event: {} }], ...INDEX },
  indexedAt: EPOCH,
} as unknown as AppRow;
const ENDPOINT = {
  ...{ id: "end_neighbour", environmentId, appId: APP.id, slug: "hook", shortcode: "neighbour" },
  ...{ preset: null, secretSealed: null, sourceText: null, createdAt: EPOCH },
};

export class Neighbour {
  readonly #chance: Chance;
  readonly isThere: boolean;

  constructor(private readonly scene: Scene) {
    this.#chance = scene.chance("neighbour");
    this.isThere = this.#chance.happens(SHARE);
  }

  /** Stores all it has. */
  async moveIn(memory: MemoryStore): Promise<void> {
    if (!this.isThere) return;
    const { catalog, outside } = memory;
    await catalog.saveEnvironment(ENVIRONMENT);
    await catalog.saveApp(APP);
    await catalog.saveEndpoint(ENDPOINT);
    for (let n = 0; n < CROWD; n++) {
      await memory.intake(this.#run());
      await memory.intake(this.#request());
      const row = { id: `out_neighbour_${n}`, environmentId, kind: "post", queue: outsideQueue(environmentId), runId: null };
      const requestText = JSON.stringify({ url: APP.url, body: "{}" });
      await outside.addOutbound({ ...row, requestText, createdAt: EPOCH, awaitsEnd: false }, EPOCH);
    }
  }

  #newId(kind: "event" | "run" | "delivery"): string {
    return makeId(kind, EPOCH, this.#chance.bytes(16));
  }

  #run(): Parameters<MemoryStore["intake"]>[0] {
    const rowId = this.#newId("event");
    const nothing = { contextText: null, deliverAt: null, canceledAt: null, accountId: null, deliveryId: null };
    const event: EventRow = {
      ...{ rowId, id: rowId, environmentId, name: "neighbour", source: "trigger.dev", payloadText: "{}", payloadType: "JSON" },
      ...{ timestamp: EPOCH, createdAt: EPOCH, deliveredAt: EPOCH, isTest: false },
      ...nothing,
    };
    const job = { jobId: "neighbour", jobName: "Neighbour", jobVersion: "1.0.0", appId: APP.id, isTest: false, deliveryId: null };
    const at = { createdAt: EPOCH, updatedAt: EPOCH, revision: 0 };
    const run = { ...newRun(this.#newId("run"), EPOCH), environmentId, eventRowId: rowId, ...job, ...at };
    const work = [{ id: run.id, kind: "run" as const, queue: APP.id, dueAt: EPOCH }];
    return { delivery: null, event, runs: [run], work, done: null };
  }

  #request(): Parameters<MemoryStore["intake"]>[0] {
    const id = this.#newId("delivery");
    const delivery = {
      ...{ id, environmentId, endpointId: ENDPOINT.id, receivedAt: EPOCH, method: "POST", url: "http://server/x", headers: [] },
      ...{
        body: new Uint8Array(),
        size: 0,
        verdict: "pending" as const,
        reason: null,
        status: 200,
        senderId: null,
        eventRowId: null,
      },
    };
    const work = [{ id, kind: "delivery" as const, queue: verifyQueue(APP.id), dueAt: EPOCH }];
    return { delivery, event: null, runs: [], work, done: null };
  }

  /** Null: somebody else is asked. */
  silence(from: Actor, { url, timeoutMs }: HttpRequest): Promise<HttpOutcome> | null {
    if (new URL(url).hostname !== HOST) return null;
    const outcome: HttpOutcome = { ok: false, why: "timeout", message: "The neighbour said nothing." };
    return new Promise((resolve) => this.scene.timeline.after(timeoutMs, from, () => resolve(outcome)));
  }
}

/** Whether a row is the neighbour's. */
export function isNeighbours(row: { environmentId: string } | { queue: string }): boolean {
  if ("environmentId" in row) return row.environmentId === environmentId;
  return [APP.id, verifyQueue(APP.id), outsideQueue(environmentId)].includes(row.queue);
}

/** What is not the neighbour's. */
export function besidesNeighbour(tables: Tables): Tables {
  const others = <T extends Parameters<typeof isNeighbours>[0]>(rows: Map<string, T>): Map<string, T> =>
    new Map([...rows].filter(([, row]) => !isNeighbours(row)));
  const { runs, events, deliveries, work } = tables;
  return { ...tables, runs: others(runs), events: others(events), deliveries: others(deliveries), work: others(work) };
}
