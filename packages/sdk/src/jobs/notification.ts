// Room: jobs. How a run ended, as programs get it: by `onSuccess`, `onFailure`, `client.on`, and from runs they waited for. Read by App and by invocation.ts.
import type { RunStatus, StatusRecord, RunNotification as Told } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";

type CommonRunNotification<TPayload = Anything> = {
  id: string;
  status: RunStatus;
  startedAt: Date | null;
  updatedAt: Date | null;
  completedAt: Date | null;
  isTest: boolean;
  /** Milliseconds inside executions. */
  executionDurationInMs: number;
  executionCount: number;
  job: { id: string; version: string };
  statuses: StatusRecord[];
  environment: Told["environment"];
  organization: Told["organization"];
  project: Told["project"];
  account?: { id: string; metadata?: Anything };
  /** The event that started it. */
  invocation: { id: string; context: Anything; timestamp: Date; payload: TPayload };
};
export type SuccessfulRunNotification<TOutput = Anything, TPayload = Anything> = CommonRunNotification<TPayload> & {
  ok: true;
  output: TOutput;
};
export type FailedRunNotification<TPayload = Anything> = CommonRunNotification<TPayload> & {
  ok: false;
  error: Anything;
  /** The task that failed, if one did. */
  task?: Anything;
};
/** Tells by `ok` which it is. */
export type RunNotification<TOutput = Anything, TPayload = Anything> =
  | SuccessfulRunNotification<TOutput, TPayload>
  | FailedRunNotification<TPayload>;

export interface NotificationListeners {
  runSucceeded: (notification: SuccessfulRunNotification) => unknown;
  /** v2's spelling of `runSucceeded`. */
  runSucceeeded: (notification: SuccessfulRunNotification) => unknown;
  runFailed: (notification: FailedRunNotification) => unknown;
}

const date = (text: string | null): Date | null => (text === null ? null : new Date(text));

/** Its times as dates. */
export function reviveNotification<TOutput = Anything>(value: unknown): RunNotification<TOutput> {
  const told = value as Told;
  return {
    ...told,
    startedAt: date(told.startedAt),
    updatedAt: date(told.updatedAt),
    completedAt: date(told.completedAt),
    invocation: { ...told.invocation, timestamp: new Date(told.invocation.timestamp) },
  } as RunNotification<TOutput>;
}
