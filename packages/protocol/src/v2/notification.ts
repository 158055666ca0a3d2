// How a run ended, as v2 tells it (RUN_NOTIFICATION, callback URLs, `invokeAndWaitForCompletion`).
// Source: `@trigger.dev/core@2.3.19` as published; wire §4.9.
import type { RunStatus } from "../statuses.ts";
import type { EnvironmentType } from "./endpoint.ts";
import type { StatusRecord } from "./run-status.ts";

export type RunNotification = {
  id: string;
  status: RunStatus;
  startedAt: string | null;
  updatedAt: string | null;
  completedAt: string | null;
  isTest: boolean;
  /** Milliseconds inside executions. */
  executionDurationInMs: number;
  executionCount: number;
  job: { id: string; version: string };
  statuses: StatusRecord[];
  environment: { id: string; slug: string; type: EnvironmentType };
  organization: { id: string; slug: string; title: string };
  project: { id: string; slug: string; name: string };
  account?: { id: string; metadata?: unknown };
  /** The event that started it. */
  invocation: { id: string; context: unknown; timestamp: string; payload: unknown };
} & ({ ok: true; output?: unknown } | { ok: false; error: unknown; task?: object });

/** Action of the push wire: body {@link RunNotification}, answer `{ok: true}`. */
export const NOTIFY_ACTION = "RUN_NOTIFICATION";
