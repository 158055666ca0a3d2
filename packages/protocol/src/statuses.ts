// The status names of the v2 wire, and which of them are final. The server's own states live in the engine; these are their public projection.

export const RUN_STATUSES = [
  "PENDING",
  "QUEUED",
  "WAITING_ON_CONNECTIONS",
  "PREPROCESSING",
  "STARTED",
  "SUCCESS",
  "FAILURE",
  "TIMED_OUT",
  "ABORTED",
  "CANCELED",
  "UNRESOLVED_AUTH",
  "INVALID_PAYLOAD",
  "EXECUTING",
  "WAITING_TO_CONTINUE",
  "WAITING_TO_EXECUTE",
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const FINAL_RUN_STATUSES = [
  "SUCCESS",
  "FAILURE",
  "TIMED_OUT",
  "ABORTED",
  "CANCELED",
  "UNRESOLVED_AUTH",
  "INVALID_PAYLOAD",
] as const satisfies readonly RunStatus[];
export type FinalRunStatus = (typeof FINAL_RUN_STATUSES)[number];

export function isFinalRunStatus(status: RunStatus): status is FinalRunStatus {
  return (FINAL_RUN_STATUSES as readonly string[]).includes(status);
}

export const TASK_STATUSES = ["PENDING", "WAITING", "RUNNING", "COMPLETED", "ERRORED", "CANCELED"] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export const DELIVERY_VERDICTS = ["pending", "verified", "refused", "duplicate"] as const;
export type DeliveryVerdict = (typeof DELIVERY_VERDICTS)[number];
