// Room: client. What this app holds, as the server indexes it. Sent by both transports.
import type { IndexDocument } from "@holdfast/protocol";
import type { AnyJob } from "../jobs/perform.ts";
import type { HttpEndpoint } from "../triggers/http-endpoint.ts";
import { SDK_VERSION } from "../version.ts";

export function indexDocument(jobs: Iterable<AnyJob>, endpoints: Iterable<HttpEndpoint>): IndexDocument {
  return {
    jobs: [...jobs].map((job) => job.toJSON()),
    sources: [],
    webhooks: [],
    dynamicTriggers: [],
    dynamicSchedules: [],
    httpEndpoints: [...endpoints].map((endpoint) => endpoint.toJSON()),
    holdfast: { sdk: SDK_VERSION },
  };
}
