// Room: jobs. Running a job by calling it: from anywhere, or as a task of another run that may wait for its end. Called by Job's methods.
import { UserFacingError } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { InvokeOptions } from "../client/api.ts";
import type { IO } from "../io/io.ts";
import { THROUGH_OUTAGES } from "../io/outage.ts";
import type { IOTask, RunTaskOptions } from "../io/task.ts";
import { Execution } from "../replay/execution.ts";
import type { CacheKey } from "../replay/key.ts";
import type { Job } from "./job.ts";
import { type RunNotification, reviveNotification } from "./notification.ts";

type AnyJob = Job<Anything, Anything, Anything>;

/** What a run is waited for with. */
export interface Invocation {
  payload: Anything;
  /** Default 3600. */
  timeoutInSeconds?: number | undefined;
  options?: Pick<InvokeOptions, "accountId" | "context"> | undefined;
}

const MOST_AT_ONCE = 25;
const HOUR_S = 3600;

function clientOf(job: AnyJob) {
  if (job.client) return job.client;
  const hint = "Define it with `client.defineJob`, or attach it with `client.attach(job)`, before invoking it.";
  throw new UserFacingError("BAD_REQUEST", `The job "${job.id}" is not attached to a client.`, hint);
}

function ioOf(method: string): IO {
  const io = Execution.currentIO();
  if (io) return io;
  throw new UserFacingError(
    "BAD_REQUEST",
    `\`${method}\` waits as a task, so it works in runs only.`,
    "Use `job.invoke(payload)` elsewhere.",
  );
}

function shown(job: AnyJob, name: string, payload: unknown): RunTaskOptions {
  return { name, icon: "trigger", params: payload, properties: [{ label: "Job", text: job.id }], retry: THROUGH_OUTAGES.retry };
}

async function invoking(job: AnyJob, task: IOTask, payload: unknown, options: InvokeOptions): Promise<{ id: string }> {
  const run = await clientOf(job).invokeJob(job.id, payload, { idempotencyKey: task.idempotencyKey, ...options });
  task.outputProperties = [{ label: "Run", text: run.id }];
  return run;
}

/** `(cacheKey, payload, options?)` in a run, `(payload, options?)` elsewhere. */
export async function invoke(job: AnyJob, given: unknown[]): Promise<{ id: string }> {
  const io = Execution.currentIO();
  if (!io) {
    const [payload, options] = given as [unknown, InvokeOptions | undefined];
    if (given.length > 2)
      throw new UserFacingError("BAD_REQUEST", "A cacheKey is given in runs only.", "Write `job.invoke(payload, options)`.");
    return clientOf(job).invokeJob(job.id, payload, options);
  }
  const [cacheKey, payload, options = {}] = given as [CacheKey, unknown, InvokeOptions | undefined];
  if (typeof cacheKey !== "string" && !Array.isArray(cacheKey))
    throw new UserFacingError(
      "BAD_REQUEST",
      "In a run `job.invoke` needs a cacheKey first.",
      'Write `job.invoke("key", payload)`.',
    );
  const act = (task: IOTask): Promise<Anything> => invoking(job, task, payload, options);
  return io.runTask<Anything>(cacheKey, act, shown(job, `Manually Invoke '${job.name}'`, payload), THROUGH_OUTAGES.onError);
}

export function invokeAndWait(
  job: AnyJob,
  cacheKey: CacheKey,
  { payload, timeoutInSeconds = HOUR_S, options = {} }: Invocation,
): Promise<RunNotification> {
  const act = async (task: IOTask): Promise<void> => {
    await invoking(job, task, payload, { ...options, callbackUrl: task.callbackUrl ?? undefined });
  };
  const waiting = {
    callback: { enabled: true, timeoutInSeconds },
    parseOutput: reviveNotification as (output: unknown) => Anything,
  };
  const name = `Manually Invoke '${job.name}' and wait for completion`;
  return ioOf("invokeAndWaitForCompletion").runTask<Anything>(
    cacheKey,
    act,
    { ...shown(job, name, payload), ...waiting },
    THROUGH_OUTAGES.onError,
  );
}

export async function batchInvokeAndWait(job: AnyJob, cacheKey: CacheKey, batch: Invocation[]): Promise<RunNotification[]> {
  const io = ioOf("batchInvokeAndWaitForCompletion");
  if (batch.length === 0) return [];
  if (batch.length > MOST_AT_ONCE)
    throw new Error(`Cannot batch invoke more than ${MOST_AT_ONCE} items. You tried to batch invoke ${batch.length} items.`);
  const { properties } = shown(job, "", undefined);
  const waits = (item: Invocation, index: number): Promise<Anything> => invokeAndWait(job, String(index), item);
  const told = await io.parallel<Anything, Invocation>(cacheKey, batch, waits, {
    name: `Batch Invoke '${job.name}'`,
    properties,
  });
  // The task's own result travelled as JSON.
  return (told as unknown[]).map((one) => reviveNotification(one));
}
