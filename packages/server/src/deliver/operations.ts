// Room: deliver. Tasks the server performs by itself, so that the app need not wait: a fetch, or a poll until the answer fits. Called by outbound.ts for work
// of these kinds, and by tasks (through main) when one is opened. Promises: tried until it is done or given up, whatever crashes; recorded once.
import { createHash } from "node:crypto";
import type { TaskDetails } from "@holdfast/protocol";
import { type ZodType, z } from "zod";
import type { World } from "../platform/world.ts";
import { outsideQueue } from "../store/queues.ts";
import type { OutboundRow, Store, TaskRow } from "../store/store.ts";
import type { Callbacks } from "../tasks/callbacks.ts";
import { positionAt } from "../tasks/report.ts";
import { fetchParamsSchema, pollParamsSchema, type Tried, tryFetch, tryPoll } from "./fetch.ts";

export const OPERATIONS: readonly string[] = ["fetch", "fetch-response", "fetch-poll"];

const INTERVAL_S = { least: 1, most: 600 };
const TIMEOUT_S = { least: 1, most: 3600 };

interface Asked {
  runId: string;
  taskId: string;
}

export interface OperationsNeeds {
  world: World;
  store: Store;
  callbacks: Callbacks;
  wake: (queues: string[]) => void;
}

export class Operations {
  constructor(private readonly needs: OperationsNeeds) {}

  /** The server is to perform this task. Safe to repeat. */
  async begin(environmentId: string, { runId, id: taskId, detailsText }: TaskRow): Promise<void> {
    const { operation = "fetch" } = JSON.parse(detailsText ?? "{}") as TaskDetails;
    const createdAt = this.needs.world.now();
    const asked: Asked = { runId, taskId };
    const row: OutboundRow = {
      id: `out_${taskId}`,
      environmentId,
      kind: operation,
      queue: outsideQueue(environmentId),
      runId,
      requestText: JSON.stringify(asked),
      createdAt,
      awaitsEnd: false,
    };
    await this.needs.store.outside.addOutbound(row, createdAt);
    this.needs.wake([row.queue]);
  }

  /** One try. Answers when there must be another, epoch milliseconds, or null when it is over. */
  async perform(row: OutboundRow, attempt: number): Promise<number | null> {
    const { runId, taskId } = JSON.parse(row.requestText) as Asked;
    const [task] = await this.needs.store.tasks(runId, { ids: [taskId] });
    if (task?.status !== "RUNNING") return null;
    const { params } = JSON.parse(task.detailsText ?? "{}") as TaskDetails;
    const tried = row.kind === "fetch-poll" ? await this.#poll(task, params, row) : await this.#fetch(params, row, attempt);
    if (tried.type === "again") return tried.at;
    const end =
      tried.type === "done"
        ? { status: "COMPLETED" as const, outputText: JSON.stringify(tried.output) ?? null }
        : { status: "ERRORED" as const, errorText: JSON.stringify(errorOf(tried)) };
    await this.needs.callbacks.settle(runId, taskId, end);
    return null;
  }

  async #fetch(params: unknown, { kind, environmentId: line }: OutboundRow, attempt: number): Promise<Tried> {
    const read = readParams(fetchParamsSchema, params);
    return "type" in read ? read : tryFetch(this.needs.world, read.value, { attempt, whole: kind === "fetch-response", line });
  }

  async #poll(task: TaskRow, params: unknown, { createdAt, environmentId }: OutboundRow): Promise<Tried> {
    const { world, store } = this.needs;
    const read = readParams(pollParamsSchema, params);
    if ("type" in read) return read;
    const timeoutS = bounded(read.value.timeout, TIMEOUT_S);
    const { matched, seen } = await tryPoll(world, read.value, environmentId);
    await store.recordTask({ task: attemptTask(task, seen, world.now()), token: null, failureText: null });
    if (matched) return { type: "done", output: seen.body ?? null };
    const next = world.now() + bounded(read.value.interval, INTERVAL_S) * 1000;
    const end = createdAt + timeoutS * 1000;
    if (world.now() >= end) return { type: "failed", error: { message: `Task timed out after ${timeoutS} seconds` } };
    return { type: "again", at: Math.min(next, end), error: { message: "No match yet." } };
  }
}

function bounded(value: number, { least, most }: { least: number; most: number }): number {
  return Math.min(most, Math.max(least, value));
}

function readParams<T>(schema: ZodType<T>, params: unknown): { value: T } | (Tried & { type: "failed" }) {
  const parsed = schema.safeParse(params);
  if (parsed.success) return { value: parsed.data };
  return { type: "failed", error: { message: `The request cannot be made: ${z.prettifyError(parsed.error)}` } };
}

/** The answer's JSON body says more than its status, when there is one; an error always has a message. */
function errorOf({ error, body }: Tried & { type: "failed" }): object {
  return typeof body === "object" && body !== null ? { ...error, ...body } : error;
}

/** A child task for each try, so that the dashboard shows what was answered. */
function attemptTask(parent: TaskRow, seen: object, now: number): TaskRow {
  const position = positionAt(now);
  const key = createHash("sha256").update(`${parent.key}:poll:${position}`).digest("hex");
  const details: TaskDetails = { icon: "activity", params: seen };
  return {
    ...parent,
    key,
    id: `task_${key.slice(0, 26)}`,
    parentId: parent.id,
    name: "poll attempt",
    displayKey: null,
    noop: true,
    status: "COMPLETED",
    attempts: 1,
    startedAt: now,
    completedAt: now,
    outputText: null,
    errorText: null,
    detailsText: JSON.stringify(details),
    failuresText: null,
    position,
  };
}
