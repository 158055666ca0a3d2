// Tests: the Clerk example, unchanged, with a witness: every entry into a job, every start of a task's callback and every return of `io.runTask` is written to
// APP_JOURNAL and flushed before the job goes on. Each performance of a task adds a mark of its own to the output, so that a second one would show.
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { TriggerClient } from "@trigger.dev/sdk";
import type { AppEntry } from "../checker.ts";
import { openJournal } from "../journal.ts";

type Callback = (task: { idempotencyKey: string }, io: Io) => Promise<object>;
interface Io {
  runTask(key: string, callback: Callback, options?: object, onError?: unknown): Promise<unknown>;
}
type Run = (request: Request, io: Io, ctx: { run: { id: string } }) => Promise<unknown>;

/** Tasks take up to this much longer, as real services would make them: most kills then hit several between their effect and their record. */
const SLOWEST_MS = 300;
const journal = openJournal<AppEntry>(process.env.APP_JOURNAL ?? "app.jsonl");
const fingerprint = (value: unknown) =>
  createHash("sha256")
    .update(String(JSON.stringify(value)))
    .digest("hex");

function watched(io: Io, run: string): Io {
  const runTask: Io["runTask"] = async (task, callback, options, onError) => {
    const performed: Callback = async (started, inner) => {
      journal.write({ what: "started", run, task, idempotencyKey: started.idempotencyKey });
      const output = await callback(started, inner);
      await pause(Math.random() * SLOWEST_MS);
      return { ...output, performance: randomUUID() };
    };
    const output = await io.runTask(task, performed, options, onError);
    journal.write({ what: "acknowledged", run, task, output: fingerprint(output) });
    return output;
  };
  return new Proxy(io, {
    get(target, name) {
      if (name === "runTask") return runTask;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function witnessed(job: string, run: Run): Run {
  return async (request, io, ctx) => {
    journal.write({ what: "entered", run: ctx.run.id, job, svixId: request.headers.get("svix-id") ?? "" });
    const output = await run(request, watched(io, ctx.run.id), ctx);
    journal.write({ what: "returned", run: ctx.run.id, output: fingerprint(output) });
    return output;
  };
}

interface Definable {
  defineJob(options: { id: string; run: Run }): unknown;
}
const prototype = TriggerClient.prototype as unknown as Definable;
const { defineJob } = prototype;
prototype.defineJob = function (options) {
  return defineJob.call(this, { ...options, run: witnessed(options.id, options.run) });
};

const { client } = await import("../../../examples/clerk/src/clerk.ts");
await import("../../../examples/clerk/src/welcome.ts");
await client.connect().ready;
console.log("connected");
