// Room: testing. The door of `@holdfast/sdk/testing`: starts runs of jobs in memory. Called by users' tests.
// Promises: no server, no network of its own, no waiting in real time; every run starts empty.
import { type ConnectionAuth, type ExecutionStart, UserFacingError } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { IOTask } from "../io/task.ts";
import { Job } from "../jobs/job.ts";
import type { AnyJob } from "../jobs/perform.ts";
import { realRuntime } from "../runtime/real.ts";
import type { EventSpecification, Trigger, TriggerEventType } from "../triggers/trigger.ts";
import { Clock } from "./clock.ts";
import { type CrashOptions, CrashPlan } from "./crash-plan.ts";
import { Ledger } from "./ledger.ts";
import { MemoryServer, type TestStore } from "./memory-server.ts";
import { Mocks, type TaskMocks } from "./mocks.ts";
import { checkFramework, checkOptions, checkShortOptions } from "./options.ts";
import { sentPayload } from "./request.ts";
import { RunLoop } from "./run-loop.ts";
import { TestRun } from "./test-run.ts";

/** What a run starts with, besides job and payload. */
export interface TestRunOptions extends CrashOptions {
  /** What tasks give instead of what they do. The others are performed. */
  tasks?: TaskMocks | undefined;
  /** Of the event that starts it. Keys of tasks depend on it. Default "evt_test". */
  id?: string | undefined;
  /** `ctx.event.context`. */
  context?: Anything;
  account?: { id: string; metadata?: Anything } | undefined;
  /** `ctx.source`: the key, and the metadata, of a dynamic schedule or trigger. */
  source?: { id: string; metadata?: Anything } | undefined;
  /** Credentials as the server keeps them, by the id of the integration: for integrations without their own, and for `io.getAuth`. */
  connections?: Record<string, ConnectionAuth> | undefined;
  /** Started as the dashboard's Test does it: requests are not verified. Default false. */
  isTest?: boolean | undefined;
  /** `ctx.environment.type`. Default "DEVELOPMENT". */
  environment?: ExecutionStart["environment"]["type"] | undefined;
  /** When it starts. Default now. Give it where the job looks at dates: the run's clock then stands still between two moves. */
  now?: Date | undefined;
  /** Values that are kept already. */
  store?: Partial<TestStore> | undefined;
}

/** What the tester uses of a test framework. vitest's `vi` and jest's `jest` fit as they are. */
export interface TestFramework {
  /** Makes the mocks in `tasks` of the short form. */
  fn?: ((implementation: (...given: Anything[]) => Anything) => Anything) | undefined;
  /** Is told what time it is for the run, before its code runs: `new Date()` in the job is then the run's. */
  setSystemTime?: ((now: Date) => unknown) | undefined;
  /** Whether `setSystemTime` may be called now. Left out: it may not. */
  isFakeTimers?: (() => boolean) | undefined;
}

/** The end of a run in the short form. */
export interface TestedJob<TOutput> {
  status: TestRun["status"];
  output: TOutput | undefined;
  error: TestRun["error"];
  /** The mocks by key: called with the task's params at each attempt. */
  tasks: Record<string, Anything>;
  /** Everything else. */
  run: TestRun<TOutput>;
}

interface ShortOptions<TPayload> extends Omit<TestRunOptions, "tasks"> {
  payload?: TPayload | undefined;
  /** Values, errors, or functions of the task's params. */
  tasks?: Record<string, Anything> | undefined;
  /** As `environment`. */
  env?: TestRunOptions["environment"];
}

export interface JobTester {
  /**
   * Starts a run and executes it until it waits or has ended.
   *
   * @param payload what was sent; of a job that runs for requests, a Request, which its endpoint verifies
   * @throws INVALID_SIGNATURE when it refuses the request, BAD_REQUEST for a job of another copy of the SDK, for an option of the wrong
   * type, and for a payload that is no JSON
   * @example
   * const run = await tester.run(welcome, { email: "ada@example.com" }, { tasks: { "send mail": { id: "m1" } } });
   * await run.advance("24h");
   */
  run<TTrigger extends Trigger<EventSpecification<Anything>>, TOutput>(
    job: Job<TTrigger, Anything, TOutput>,
    payload: TriggerEventType<TTrigger>,
    options?: TestRunOptions,
  ): Promise<TestRun<TOutput>>;
  /** The short form, as in v2: runs the job to its end. @example const { output } = await testJob(welcome, { payload, tasks }); */
  <TTrigger extends Trigger<EventSpecification<Anything>>, TOutput>(
    job: Job<TTrigger, Anything, TOutput>,
    options?: ShortOptions<TriggerEventType<TTrigger>>,
  ): Promise<TestedJob<TOutput>>;
}

/**
 * Runs jobs in memory, with virtual time.
 *
 * Import it by the name you import the SDK by: with the alias, from `@trigger.dev/sdk/testing`.
 *
 * @param framework `vi` or `jest`, so that the mocks of the short form are theirs, and dates are the run's while they are faked
 * @example
 * const tester = createJobTester();
 * const run = await tester.run(reminder, { user: "ada" });
 * await run.toEnd();
 */
export function createJobTester(framework: TestFramework = {}): JobTester {
  checkFramework(framework);
  const run = async (job: Job<Anything, Anything, Anything>, payload: unknown, options: TestRunOptions = {}) => {
    checkOptions(options);
    return startRun(job as AnyJob, payload, { options, framework });
  };
  const short = async (job: Job<Anything, Anything, Anything>, options: ShortOptions<Anything> = {}) => {
    checkShortOptions(options);
    return runToEnd(job as AnyJob, options, framework);
  };
  return Object.assign(short, { run });
}

interface Setting {
  options: TestRunOptions;
  framework: TestFramework;
}

/** Two copies of the SDK know nothing of each other: the job's calls would not be the test's. */
function checkedJob(job: AnyJob): AnyJob {
  if (job instanceof Job) return job;
  throw new UserFacingError(
    "BAD_REQUEST",
    "This is no job, or one of another copy of the SDK.",
    "Import the tester by the name the job's file imports the SDK by: of `@trigger.dev/sdk` it is `@trigger.dev/sdk/testing`.",
  );
}

async function startRun(given: AnyJob, payload: unknown, { options, framework }: Setting): Promise<TestRun> {
  const job = checkedJob(given);
  const sent = await sentPayload(job, payload, options.isTest ?? false);
  const setsDate = framework.isFakeTimers?.() === true && framework.setSystemTime !== undefined;
  const origin = (options.now ?? new Date(realRuntime.now())).getTime();
  const start = startOf(job, sent, { options, at: new Date(origin).toISOString() });
  const { id } = start.run;
  const ledger = new Ledger();
  const mocks = new Mocks(options.tasks ?? {});
  const clock = new Clock({ origin, running: !setsDate && options.now === undefined });
  const server = new MemoryServer(ledger, clock, { run: id, job: job.id });
  server.fill(options.store ?? {}, options.connections ?? {});
  const loop = new RunLoop({ job, ledger, clock, mocks, crashes: new CrashPlan(options), start });
  const setDate = (now: Date) => void (setsDate && framework.setSystemTime?.(now));
  return new TestRun({ id, loop, ledger, clock, server, mocks, told: toldOf(start), setDate }).advance(0);
}

function startOf(job: AnyJob, sent: Awaited<ReturnType<typeof sentPayload>>, of: { options: TestRunOptions; at: string }) {
  const { id = "evt_test", context, account, source, isTest = false, environment = "DEVELOPMENT" } = of.options;
  const { name } = job.trigger.event;
  const start: RunLoopStart = {
    run: { id: `run_${id.replace(/^evt_/, "")}`, isTest, isRetry: false, startedAt: of.at },
    job: { id: job.id, version: job.version },
    event: {
      id,
      name: [name].flat()[0] ?? "",
      timestamp: of.at,
      ...sent,
      ...(context === undefined ? {} : { context: JSON.stringify(context) }),
    },
    environment: { id: "env_test", slug: "test", type: environment },
    organization: { id: "org_test", title: "Test", slug: "test" },
    project: { id: "prj_test", name: "Test", slug: "test" },
    ...(account ? { account } : {}),
    ...(source ? { source } : {}),
    connections: connectionsOf(job, of.options.connections ?? {}),
  };
  return start;
}

/** Those of the job's integrations that have none of their own, by the name the job has for them. */
function connectionsOf(job: AnyJob, kept: Record<string, ConnectionAuth>): Record<string, ConnectionAuth> {
  return Object.fromEntries(
    Object.entries(job.integrations).flatMap(([key, { id, authSource }]) => {
      const auth = authSource === "HOSTED" ? kept[id] : undefined;
      return auth ? [[key, auth]] : [];
    }),
  );
}
type RunLoopStart = Omit<ExecutionStart, "token" | "tasks" | "yields">;

function toldOf({ run, job, event, environment, organization, project, account }: RunLoopStart): Record<string, unknown> {
  const { id, context = "{}", timestamp, payload } = event;
  const invocation = { id, context: JSON.parse(context), timestamp, payload: JSON.parse(payload) };
  return { isTest: run.isTest, job, environment, organization, project, invocation, ...(account ? { account } : {}) };
}

async function runToEnd(job: AnyJob, given: ShortOptions<Anything>, framework: TestFramework): Promise<TestedJob<Anything>> {
  const { payload, env, tasks = {}, ...options } = given;
  const mocks = Object.entries(tasks).map(([key, value]) => {
    const answer = typeof value === "function" ? value : () => value;
    return [key, framework.fn ? framework.fn(answer) : answer] as const;
  });
  const called = Object.fromEntries(mocks.map(([key, mock]) => [key, (task: IOTask) => mock(task.params)]));
  const run = await startRun(job, payload, { options: { environment: env, ...options, tasks: called }, framework });
  await run.toEnd();
  return { status: run.status, output: run.output, error: run.error, tasks: Object.fromEntries(mocks), run };
}
