// Room: client. What this app holds, as the server indexes it. Sent by both transports.
import type { IndexDocument } from "@holdfast/protocol";
import type { AnyJob } from "../jobs/perform.ts";
import type { HttpEndpoint } from "../triggers/http-endpoint.ts";
import { SDK_VERSION } from "../version.ts";

/** What the app defines. */
export interface Defined {
  jobs: Iterable<AnyJob>;
  endpoints: Iterable<HttpEndpoint>;
  /** Ids of its dynamic schedules. */
  schedules: Iterable<string>;
}

export function indexDocument({ jobs: defined, endpoints, schedules }: Defined): IndexDocument {
  const jobs = [...defined].map((job) => job.toJSON());
  const startedBy = (id: string) => jobs.filter(({ trigger }) => trigger.type === "dynamic" && trigger.id === id);
  return {
    jobs,
    sources: [],
    webhooks: [],
    dynamicTriggers: [],
    dynamicSchedules: [...schedules].map((id) => ({
      id,
      jobs: startedBy(id).map(({ id: job, version }) => ({ id: job, version })),
    })),
    httpEndpoints: [...endpoints].map((endpoint) => endpoint.toJSON()),
    holdfast: { sdk: SDK_VERSION },
  };
}
