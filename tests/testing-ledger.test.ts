// The ledger of `@holdfast/sdk/testing` keeps what a server keeps: for any reports, in any order, an execution under test starts from what the server's own
// functions (the task machine, the mapping of reports, the start of an execution) would have given it.
import { mergeTask, settleTask } from "@holdfast/engine";
import type { RecordedTask, TaskReport } from "@holdfast/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Ledger } from "../packages/sdk/src/testing/ledger.ts";
import { recordedTask } from "../packages/server/src/execute/start.ts";
import type { TaskRow } from "../packages/server/src/store/store.ts";
import { writeOf } from "../packages/server/src/tasks/report.ts";

const KEY = "k";

/** The server's functions, for one task. */
class Server {
  row: TaskRow | null = null;

  record(item: TaskReport, now: number): void {
    this.row = mergeTask(this.row, writeOf("exe_1.run_1", item, now)).task;
  }
  start(now: number): RecordedTask[] {
    this.row = this.row && settleTask(this.row, now);
    return this.row ? [recordedTask(this.row, now)] : [];
  }
}

const url = '{"callbackUrl":"http://a.test/1"';
const report = fc
  .record({
    status: fc.constantFrom<TaskReport["status"][]>("RUNNING", "WAITING", "WAITING", "COMPLETED", "ERRORED"),
    attempt: fc.integer({ min: 1, max: 3 }),
    noop: fc.boolean(),
    delayMs: fc.constantFrom(0, 5, 50),
    output: fc.option(fc.constantFrom("1", "null"), { nil: undefined }),
    failed: fc.boolean(),
    details: fc.constantFrom(undefined, '{"icon":"x"}', `${url}}`, `${url},"handedOut":true}`),
  })
  .map(({ status, attempt, noop, delayMs, output, failed, details }): TaskReport => {
    const waiting = status === "WAITING";
    return {
      key: KEY,
      id: "task_k",
      name: "Task",
      status,
      attempt,
      startedAgo: 0,
      ...(noop ? { noop } : {}),
      ...(waiting ? { delayMs } : { endedAgo: 0 }),
      ...(status === "COMPLETED" && output !== undefined ? { output } : {}),
      ...(status === "ERRORED" || (waiting && failed) ? { error: { message: `no ${attempt}` } } : {}),
      ...(details === undefined ? {} : { details }),
    };
  });
const step = fc.oneof(
  report.map((item) => ({ report: item })),
  fc.constantFrom(1, 5, 100).map((ms) => ({ ms })),
);

/** Only the order of ends counts, not their numbers. */
const shown = (tasks: RecordedTask[]) =>
  tasks.map(({ endedAt, wakeMs, ...task }) => ({ ...task, ended: endedAt !== undefined, wakeMs }));

test("starts executions from what a server would have recorded", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const [ledger, server] = [new Ledger(), new Server()];
      let now = 1000;
      for (const one of steps) {
        if ("ms" in one) now += one.ms;
        else {
          ledger.record(one.report, now);
          server.record(one.report, now);
        }
        if ("ms" in one) {
          const [ours, theirs] = [shown(ledger.start(now)), shown(server.start(now))];
          for (const { status, attempts, callbackUrl } of theirs)
            seen.add(`${status} ${Math.min(attempts, 1)} ${callbackUrl !== undefined}`);
          expect(ours).toEqual(theirs);
        }
      }
    }),
    { numRuns: 1000 },
  );
  expect(seen.size).toBeGreaterThanOrEqual(8);
});
