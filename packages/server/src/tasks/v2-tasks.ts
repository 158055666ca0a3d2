// Room: tasks. The task routes of the v2 wire, which the published SDK calls twice a step: create-or-return, then complete or fail (wire §2.5–2.7).
// There is no token on this wire: a task's own finality, and its run's, are the fence.
import { createHash } from "node:crypto";
import {
  type CachedTask,
  type completeTaskBodySchema,
  type failTaskBodySchema,
  type RunTaskBody,
  type ServerTask,
  type TaskDetails,
  type TaskStatus,
  UserFacingError,
} from "@holdfast/protocol";
import type { z } from "zod";
import type { World } from "../platform/world.ts";
import type { Store, TaskRow } from "../store/store.ts";
import { callbackUrl } from "./callbacks.ts";
import { positionAt } from "./report.ts";

/** Largest task output the v2 wire takes (wire §2.6). */
const MAX_OUTPUT = 3 * 1024 * 1024;
const PAGE = { tasks: 250, characters: 2_000_000 };

/** Where a client says a task is; an environment other than the run's finds nothing. */
export interface TaskAddress {
  environmentId: string;
  runId: string;
  taskId: string;
}

export class V2Tasks {
  constructor(
    private readonly world: World,
    private readonly store: Store,
    private readonly server: {
      /** True while draining: asks SDKs to yield after the task at hand. */
      forceYield: () => boolean;
      /** A task of this run was recorded. */
      progressed: (runId: string) => void;
      /** The server is to perform this task by itself. */
      operate: (environmentId: string, task: TaskRow) => Promise<void>;
    },
  ) {}

  /**
   * Creates the task or returns the one there is. Null: no such run in this environment.
   *
   * @param origin where the caller reaches this server, for callback URLs
   */
  async open(environmentId: string, runId: string, body: RunTaskBody, origin: string): Promise<ServerTask | null> {
    const run = await this.store.run(environmentId, runId);
    if (!run) return null;
    const task = newTask(runId, body, { now: this.world.now(), canceled: run.state.kind === "finished" });
    const details = newDetails(body, body.callback?.enabled ? callbackUrl(this.world, origin, task) : undefined);
    const opened = await this.store.openTask(environmentId, { ...task, detailsText: JSON.stringify(details) });
    if (opened?.task.status === "RUNNING" && body.operation) await this.server.operate(environmentId, opened.task);
    return opened && this.#told(environmentId, opened.task, "RUNNING");
  }

  /** @param outputIsText true when the client sent `trigger-version: 2023-11-01`: output is JSON text then */
  async complete(
    at: TaskAddress,
    body: z.infer<typeof completeTaskBodySchema>,
    outputIsText: boolean,
  ): Promise<ServerTask | null> {
    const outputText = textOf(body.output, outputIsText);
    if (outputText !== null && outputText.length > MAX_OUTPUT) {
      const error = { message: "Task output is too large. The limit is 3MB" };
      await this.#close(at, { status: "ERRORED", errorText: JSON.stringify(error) });
      throw new UserFacingError("TOO_LARGE", error.message, "Store large data elsewhere and return a reference to it.");
    }
    const properties = body.properties ?? [];
    const added: TaskDetails = properties.length > 0 ? { outputProperties: properties } : {};
    return this.#close(at, { status: "COMPLETED", outputText }, added);
  }

  fail(at: TaskAddress, body: z.infer<typeof failTaskBodySchema>): Promise<ServerTask | null> {
    return this.#close(at, { status: "ERRORED", errorText: JSON.stringify(body.error) });
  }

  async #close(
    { environmentId, runId, taskId }: TaskAddress,
    end: { status: TaskStatus; outputText?: string | null; errorText?: string },
    added: TaskDetails = {},
  ): Promise<ServerTask | null> {
    const run = await this.store.run(environmentId, runId);
    const [row] = run ? await this.store.tasks(runId, { ids: [taskId] }) : [];
    if (!row) return null;
    const detailsText = Object.keys(added).length > 0 ? JSON.stringify({ ...detailsOf(row), ...added }) : row.detailsText;
    const task: TaskRow = { ...row, ...end, completedAt: this.world.now(), detailsText, failuresText: null };
    const verdict = await this.store.recordTask({ task, token: null, failureText: null });
    this.server.progressed(runId);
    if (verdict === "recorded") return this.#serverTask({ ...task, failuresText: row.failuresText });
    const [kept] = await this.store.tasks(runId, { ids: [taskId] });
    return kept ? this.#told(environmentId, kept, "COMPLETED") : null;
  }

  /** The next page of finished tasks from the cursor (a task id) on. */
  async cachedTasks(runId: string, cursor: string): Promise<{ tasks: CachedTask[]; cursor?: string }> {
    const [from] = await this.store.tasks(runId, { ids: [cursor] });
    if (!from) return { tasks: [] };
    const statuses: TaskStatus[] = ["COMPLETED"];
    const rest = await this.store.tasks(runId, { after: from, limit: PAGE.tasks, statuses });
    const rows = from.status === "COMPLETED" ? [from, ...rest] : rest;
    const page: CachedTask[] = [];
    let size = 0;
    for (const row of rows) {
      const task = cachedTask(row);
      size += JSON.stringify(task).length;
      if (page.length === PAGE.tasks || (size > PAGE.characters && page.length > 0)) return { tasks: page, cursor: row.id };
      page.push(task);
    }
    return { tasks: page };
  }

  /**
   * A task nobody awaited, in a run that has ended without it, is kept CANCELED, but only of a canceled run may the SDK hear so: it throws at that, where
   * nobody listens any more, and takes the app's process with it. What such a task does counts for nothing, and v2 let it go on.
   */
  async #told(environmentId: string, row: TaskRow, status: TaskStatus): Promise<ServerTask> {
    const run = row.status === "CANCELED" ? await this.store.run(environmentId, row.runId) : null;
    const endedByItself = run?.state.kind === "finished" && run.state.outcome.status !== "CANCELED";
    return this.#serverTask(endedByItself ? { ...row, status } : row);
  }

  #serverTask(row: TaskRow): ServerTask {
    return serverTask(row, this.server.forceYield());
  }
}

function newTask(runId: string, body: RunTaskBody, { now, canceled }: { now: number; canceled: boolean }): TaskRow {
  const delayUntil = body.callback?.enabled ? timeoutOf(body.callback, now) : (body.delayUntil?.getTime() ?? null);
  const status = statusFor(body, delayUntil !== null && delayUntil > now, canceled);
  return {
    runId,
    key: body.idempotencyKey,
    id: taskId(runId, body.idempotencyKey),
    parentId: body.parentId ?? null,
    name: body.name ?? "Task",
    displayKey: body.displayKey ?? null,
    noop: body.noop,
    status,
    attempts: 1,
    startedAt: now,
    completedAt: status === "COMPLETED" || status === "CANCELED" ? now : null,
    delayUntil,
    outputText: null,
    errorText: null,
    detailsText: null,
    failuresText: null,
    position: positionAt(now),
  };
}

/** When a task gives up that waits for its callback; null: never. v2's default is an hour. */
function timeoutOf({ timeoutInSeconds = 3600 }: { timeoutInSeconds?: number | undefined }, now: number): number | null {
  return timeoutInSeconds > 0 ? now + timeoutInSeconds * 1000 : null;
}

function statusFor(body: RunTaskBody, delayed: boolean, canceled: boolean): TaskStatus {
  if (canceled) return "CANCELED";
  if (delayed || body.callback?.enabled) return "WAITING";
  return body.noop ? "COMPLETED" : "RUNNING";
}

/** Stable over replays, since children's keys contain it; unique over runs, since v2 clients may send any key. */
function taskId(runId: string, key: string): string {
  if (/^[0-9a-f]{64}$/.test(key)) return `task_${key.slice(0, 26)}`;
  return `task_${createHash("sha256").update(`${runId}:${key}`).digest("hex").slice(0, 26)}`;
}

/** The callback URL comes first: the engine's `awaitsCallback` looks for it there. */
function newDetails(body: RunTaskBody, callbackUrl: string | undefined): TaskDetails {
  const { icon, description, params, properties, style, redact, connectionKey, operation, parallel } = body;
  const given = { callbackUrl, icon, description, params, properties, style, redact, connectionKey, operation, parallel };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as TaskDetails;
}

function detailsOf(row: TaskRow): TaskDetails {
  return row.detailsText === null ? {} : (JSON.parse(row.detailsText) as TaskDetails);
}

function textOf(output: unknown, isText: boolean): string | null {
  if (output === undefined) return null;
  if (!isText) return JSON.stringify(output);
  if (typeof output !== "string") throw new UserFacingError("BAD_REQUEST", "`output` must be JSON text.");
  try {
    JSON.parse(output);
    return output;
  } catch {
    throw new UserFacingError("BAD_REQUEST", "`output` is not valid JSON text.");
  }
}

/** v2 reads an errored task's `output` as its error (wire §2.5). */
export function cachedTask(row: TaskRow): CachedTask {
  const task: CachedTask = { id: row.id, idempotencyKey: row.key, status: row.status, noop: row.noop, parentId: row.parentId };
  if (row.outputText !== null) task.output = JSON.parse(row.outputText);
  return task;
}

export function serverTask(row: TaskRow, forceYield: boolean): ServerTask {
  const details = detailsOf(row);
  const error = row.errorText === null ? null : (JSON.parse(row.errorText) as { name?: string; message: string });
  const output = row.status === "ERRORED" ? error : row.outputText === null ? undefined : JSON.parse(row.outputText);
  return {
    id: row.id,
    name: row.name,
    icon: details.icon ?? null,
    noop: row.noop,
    startedAt: iso(row.startedAt),
    completedAt: iso(row.completedAt),
    delayUntil: details.callbackUrl ? null : iso(row.delayUntil),
    status: row.status,
    description: details.description ?? null,
    properties: details.properties ?? null,
    outputProperties: details.outputProperties ?? null,
    params: details.params ?? null,
    ...(output === undefined ? {} : { output }),
    error: error ? [error.name, error.message].filter(Boolean).join(": ") : null,
    parentId: row.parentId,
    style: details.style ?? { style: "normal" },
    operation: details.operation ?? null,
    callbackUrl: details.callbackUrl ?? null,
    childExecutionMode: details.parallel ? "PARALLEL" : null,
    idempotencyKey: row.key,
    attempts: row.attempts,
    forceYield,
  };
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
