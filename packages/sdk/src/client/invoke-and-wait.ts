// Room: client. Running a job and waiting for what comes of it, from outside of any run. Called by TriggerClient.invokeJobAndWait.
// Promises: one run, however often the connection breaks; no request stays open longer than proxies let it.
import { UserFacingError } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import { type Runtime, sleep } from "../runtime/runtime.ts";
import type { ApiClient, InvokeOptions } from "./api.ts";

const DEFAULT_SECONDS = 60;
const REQUEST_SECONDS = 30;
/** Between two requests of which the first was answered without waiting: by a server that stops, or that does not know how to wait. */
const PAUSE_MS = 1_000;

/** How a run ended. */
export type JobEnd =
  | { id: string; ok: true; status: "SUCCESS"; output?: Anything }
  | { id: string; ok: false; status: string; error: Anything };

export interface InvokeAndWaitOptions extends InvokeOptions {
  /** Seconds; default 60. */
  timeoutInSeconds?: number | undefined;
}

/** @throws UserFacingError TIMEOUT: the run goes on */
export async function invokeAndWait(
  { api, runtime }: { api: ApiClient; runtime: Runtime },
  jobId: string,
  payload: unknown,
  { timeoutInSeconds = DEFAULT_SECONDS, ...options }: InvokeAndWaitOptions,
): Promise<JobEnd> {
  const idempotencyKey = options.idempotencyKey ?? runtime.uniqueId();
  const until = runtime.elapsed() + timeoutInSeconds * 1_000;
  for (;;) {
    const from = runtime.elapsed();
    const left = Math.max(0, Math.ceil((until - from) / 1_000));
    const waitSeconds = Math.min(left, REQUEST_SECONDS);
    const answer = await api.invokeJob(jobId, payload, { ...options, idempotencyKey, waitSeconds });
    if ("ok" in answer) return answer as JobEnd;
    if (runtime.elapsed() >= until)
      throw new UserFacingError(
        "TIMEOUT",
        `The run ${answer.id} of the job "${jobId}" has not ended within ${timeoutInSeconds} seconds.`,
        "It goes on. Give it more `timeoutInSeconds`, or ask for it later with `client.getRun(id)`.",
      );
    if (runtime.elapsed() - from < PAUSE_MS) await sleep(runtime, PAUSE_MS);
  }
}
