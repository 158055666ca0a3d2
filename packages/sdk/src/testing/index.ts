// Room: testing. What `@holdfast/sdk/testing` exports. Nothing is defined here.
export type { CrashOptions } from "./crash-plan.ts";
export type { Duration } from "./duration.ts";
export { type JobMatchers, matchers, toHaveFailed, toHaveRunTask, toHaveSucceeded } from "./matchers.ts";
export type { TestEvent, TestInvocation, TestStore } from "./memory-server.ts";
export type { TaskMocks } from "./mocks.ts";
export type { TestLog, TestTask } from "./seen.ts";
export type { TestRun } from "./test-run.ts";
export { createJobTester, type JobTester, type TestedJob, type TestFramework, type TestRunOptions } from "./tester.ts";
