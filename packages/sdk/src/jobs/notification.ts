// Room: jobs. How a run ended, as programs get it: by `onSuccess`, `onFailure`, `client.on`, and from runs they waited for. Read by App and by invocation.ts.
import type { StatusRecord, RunNotification as Told } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";

type CommonRunNotification<TPayload = Anything> = {
  id: string;
  /** Of a run that never started, when it ended. */
  startedAt: Date;
  updatedAt: Date;
  completedAt: Date;
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
  status: "SUCCESS";
  output: TOutput;
};
export type FailedRunNotification<TPayload = Anything> = CommonRunNotification<TPayload> & {
  ok: false;
  status: "ABORTED" | "CANCELED" | "FAILURE" | "INVALID_PAYLOAD" | "TIMED_OUT" | "UNRESOLVED_AUTH";
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

/** Its times as dates. */
export function reviveNotification<TOutput = Anything>(value: unknown): RunNotification<TOutput> {
  const told = value as Told;
  const completedAt = new Date(told.completedAt ?? told.updatedAt ?? told.invocation.timestamp);
  return {
    ...told,
    startedAt: told.startedAt === null ? completedAt : new Date(told.startedAt),
    updatedAt: told.updatedAt === null ? completedAt : new Date(told.updatedAt),
    completedAt,
    invocation: { ...told.invocation, timestamp: new Date(told.invocation.timestamp) },
  } as unknown as RunNotification<TOutput>;
}
