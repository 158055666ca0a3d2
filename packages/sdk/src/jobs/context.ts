// Room: jobs. The third argument of run(): where and why this run happens. Built from the execution's start.
import type { EnvironmentType, ExecutionStart } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";

export type TriggerContext = {
  job: { id: string; version: string };
  environment: { slug: string; id: string; type: EnvironmentType };
  organization: { slug: string; id: string; title: string };
  project: { slug: string; id: string; name: string };
  /** `startedAt`: when this execution began. */
  run: { id: string; isTest: boolean; startedAt: Date; isRetry: boolean };
  event: { id: string; name: string; context: Anything; timestamp: Date };
  source?: { id: string; metadata?: Anything };
  account?: { id: string; metadata?: Anything };
};

export function contextOf(start: ExecutionStart): TriggerContext {
  const { job, environment, organization, project, run, event, source, account } = start;
  // Null where the event has none, as v2's server sent it.
  const context = event.context === undefined ? null : JSON.parse(event.context);
  return {
    job,
    environment,
    organization,
    project,
    run: { ...run, startedAt: new Date(run.startedAt) },
    event: { id: event.id, name: event.name, context, timestamp: new Date(event.timestamp) },
    ...(source ? { source } : {}),
    ...(account ? { account } : {}),
  };
}
