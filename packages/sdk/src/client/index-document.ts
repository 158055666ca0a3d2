// Room: client. What this app holds, as the server indexes it. Sent by both transports.
import type { IndexDocument, JobMetadata } from "@holdfast/protocol";
import type { AnyJob } from "../jobs/perform.ts";
import type { HttpEndpoint } from "../triggers/http-endpoint.ts";
import { SDK_VERSION } from "../version.ts";
import type { AppSources } from "./sources.ts";

/** What the app defines. */
export interface Defined {
  jobs: Iterable<AnyJob>;
  endpoints: Iterable<HttpEndpoint>;
  /** Ids of its dynamic schedules. */
  schedules: Iterable<string>;
  sources: AppSources;
  /** Ids of integrations whose credentials it finds at each execution. */
  resolved: Pick<ReadonlySet<string>, "has">;
  /** Whether it wants to hear how runs of any of its jobs end. */
  listens: { success: boolean; failure: boolean };
}

export function indexDocument({ jobs: defined, endpoints, schedules, sources, listens, resolved }: Defined): IndexDocument {
  const jobs = [...defined].map((job): JobMetadata => {
    const success = listens.success || job.options.onSuccess !== undefined;
    const failure = listens.failure || job.options.onFailure !== undefined;
    const integrations = Object.entries(job.integrations).map(([key, integration]) => {
      return [key, resolved.has(integration.id) ? { ...integration, authSource: "RESOLVER" as const } : integration];
    });
    const metadata = { ...job.toJSON(), integrations: Object.fromEntries(integrations) };
    return success || failure ? { ...metadata, notify: { success, failure } } : metadata;
  });
  const startedBy = (id: string) =>
    jobs
      .filter(({ trigger }) => trigger.type === "dynamic" && trigger.id === id)
      .map(({ id: job, version }) => ({ id: job, version }));
  return {
    jobs,
    ...sources.index(startedBy),
    dynamicSchedules: [...schedules].map((id) => ({
      id,
      jobs: startedBy(id),
    })),
    httpEndpoints: [...endpoints].map((endpoint) => endpoint.toJSON()),
    holdfast: { sdk: SDK_VERSION },
  };
}
