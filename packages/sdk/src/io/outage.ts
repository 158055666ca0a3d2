// Room: io. How tasks that call the server go about an outage of it: what could not be sent is sent later, and the run waits meanwhile.
// Used by the tasks of `io` that send something. Promises: a refusal fails the task at once; only what may pass is tried again.
import { UserFacingError } from "@holdfast/protocol";
import { retry } from "../replay/retry.ts";
import type { RetryOptions, RunTaskErrorCallback } from "./task.ts";

const onlyOutages: RunTaskErrorCallback = (error) => {
  const mayPass = error instanceof UserFacingError && (error.status >= 500 || error.code === "TOO_MANY_REQUESTS");
  return mayPass ? undefined : { skipRetrying: true };
};

/** An outage of the server is no failure of the program. */
export const THROUGH_OUTAGES: { retry: RetryOptions; onError: RunTaskErrorCallback } = {
  retry: { ...retry.standardBackoff, limit: 50 },
  onError: onlyOutages,
};
