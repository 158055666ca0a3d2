// Room: replay. The identity of a task inside a run: who it is called by, and under which key. Called by Execution for every task.
// Promises: the same bytes as v2's SDK for the same run, parent and cache key, so a run started under one can go on under the other.
import { platform } from "#platform";
import type { Anything } from "../anything.ts";

/** What users give to name a task: a text, or a list whose parts are joined. */
export type CacheKey = string | Anything[];

function sortKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const record = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(record)
      .sort()
      .map((name) => [name, sortKeys(record[name])]),
  );
}

function partText(part: unknown): string {
  return typeof part === "string" ? part : (JSON.stringify(sortKeys(part)) ?? "");
}

/** What a cache key contributes to the task's own key: parts of a list joined by ":". */
export function keyText(cacheKey: CacheKey): string {
  return Array.isArray(cacheKey) ? cacheKey.map(partText).join(":") : partText(cacheKey);
}

/**
 * The idempotency key of a task: sha256 hex of run id, parent task id and the parts of the cache key, joined by ":".
 *
 * @param parentId the id of the task it is called in, "" at the top
 * @example taskKey("run_hello", "", "outer") // "3b05b461743f…"
 */
export function taskKey(runId: string, parentId: string, cacheKey: CacheKey): string {
  const own = keyText(cacheKey);
  const text = Array.isArray(cacheKey) && cacheKey.length === 0 ? `${runId}:${parentId}` : `${runId}:${parentId}:${own}`;
  return platform.hashed("sha256", text);
}

/** A task's id, stable over all executions of its run because children's keys contain it. */
export function taskId(key: string): string {
  return `task_${key.slice(0, 26)}`;
}

/** A cache key as people read it: the parts of a list joined by "-". */
export function keyShown(cacheKey: CacheKey): string {
  return Array.isArray(cacheKey) ? cacheKey.map(partText).join("-") : String(cacheKey);
}

/** The error v2 gives when one key is used twice under one parent. */
export function duplicateKeyError(cacheKey: CacheKey): Error {
  return new Error(
    `Task with cacheKey "${keyShown(cacheKey)}" has already been executed in this run. Each task must have a unique cacheKey.`,
  );
}
