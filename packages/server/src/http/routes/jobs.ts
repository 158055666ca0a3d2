// Room: http. Jobs: what each waits for, how its last runs went, and trying one out.
import { type JobInfo, type JobMetadata, UserFacingError } from "@holdfast/protocol";
import { z } from "zod";
import type { KnownJob } from "../../dispatch/registry.ts";
import type { JobActivity } from "../../views/activity.ts";
import { type Call, orThrow } from "../call.ts";
import { IN_ENVIRONMENT, type Route, route } from "../route.ts";

const common = { tag: "management", access: "environment" } as const;
const ENDPOINT_EVENT = "httpendpoint.";

function endpointOf({ trigger }: JobMetadata): string | null {
  if (trigger.type !== "static") return null;
  const names = [trigger.rule.event].flat();
  return names.find((name) => name.startsWith(ENDPOINT_EVENT))?.slice(ENDPOINT_EVENT.length) ?? null;
}

function triggerOf(metadata: JobMetadata): JobInfo["trigger"] {
  const { trigger, event } = metadata;
  if (trigger.type !== "static") return { type: trigger.type, title: event.title };
  const title = [trigger.title].flat().join(", ");
  const type = endpointOf(metadata) === null ? "event" : "http";
  return trigger.rule.payload ? { type, title, filter: trigger.rule.payload } : { type, title };
}

function integrationsOf({ integrations }: JobMetadata): JobInfo["integrations"] {
  return Object.entries(integrations).map(([key, { id, metadata, authSource }]) => ({
    key,
    id,
    name: metadata.name,
    authSource,
  }));
}

function infoOf({ app, metadata }: KnownJob, activity: JobActivity | undefined): JobInfo {
  const { id, name, version, enabled } = metadata;
  const nothing: JobActivity = { lastRuns: [], runs24h: 0, failed24h: 0 };
  return {
    id,
    name,
    version,
    enabled,
    app: app.slug,
    trigger: triggerOf(metadata),
    endpoint: endpointOf(metadata),
    integrations: integrationsOf(metadata),
    ...(activity ?? nothing),
  };
}

async function infosOf(call: Call, jobs: KnownJob[]): Promise<JobInfo[]> {
  const ids = jobs.map(({ metadata }) => metadata.id);
  const activity = await call.rooms.views.activity.jobs(call.environment, ids, call.rooms.world.now());
  return jobs.map((job) => infoOf(job, activity.get(job.metadata.id)));
}

function ownJob(call: Call): KnownJob {
  const id = call.param("id");
  return orThrow(call.rooms.registry.job(call.environment.id, id), "NOT_FOUND", `There is no job "${id}" in this environment.`);
}

/** A test run: an event of the job's own kind, marked as a test, for this job alone. */
async function test(call: Call, { payload }: { payload?: unknown }): Promise<Response> {
  const { metadata } = ownJob(call);
  const { events, world } = call.rooms;
  const name = [metadata.event.name].flat()[0] ?? metadata.id;
  const id = `test:${name}:${world.newId("event")}`;
  const payloadType = endpointOf(metadata) === null ? ("JSON" as const) : ("REQUEST" as const);
  const event = {
    name,
    id,
    source: metadata.event.source,
    payload: payloadType === "REQUEST" ? asRequest(payload) : payload,
    payloadType,
  };
  const { runs } = await events.send(call.environment.id, event, { isTest: true, onlyJob: metadata.id });
  return call.json({ id: orThrow(runs[0], "CONFLICT", "The test started no run.").id });
}

const requestSchema = z.object({
  url: z.string().default("http://localhost/test"),
  method: z.string().default("POST"),
  headers: z.record(z.string(), z.string()).default({}),
  rawBody: z.string(),
});

/** Jobs on an endpoint take a request: given as one, or as the JSON its body shall hold. */
function asRequest(payload: unknown): object {
  const request = requestSchema.safeParse(payload);
  if (request.success) return request.data;
  const rawBody = JSON.stringify(payload ?? {});
  if (rawBody === undefined) throw new UserFacingError("UNPROCESSABLE", "The payload is not JSON.");
  return { url: "http://localhost/test", method: "POST", headers: { "content-type": "application/json" }, rawBody };
}

export const jobRoutes: Route[] = [
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/jobs`,
    name: "listJobs",
    summary: "Jobs and how their last runs went",
    handle: async (call) => call.json(await infosOf(call, call.rooms.registry.jobs(call.environment.id))),
  }),
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/jobs/:id`,
    name: "showJob",
    summary: "One job",
    handle: async (call) => call.json((await infosOf(call, [ownJob(call)]))[0]),
  }),
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/jobs/:id/skips`,
    name: "listSkips",
    summary: "Events that started no run of a job because of its rateLimit or debounce, newest first",
    query: { cursor: "From the page before", limit: "Events a page, at most 200" },
    handle: async (call) => {
      const page = { cursor: call.query("cursor"), limit: call.number("limit", { otherwise: 50, most: 200 }) };
      return call.json(await call.rooms.views.skips.ofJob(call.environment, ownJob(call).metadata.id, page));
    },
  }),
  route({
    ...common,
    method: "POST",
    path: `${IN_ENVIRONMENT}/jobs/:id/test`,
    name: "testJob",
    summary: "Run a job with a payload of your own, marked as a test",
    body: z.object({ payload: z.unknown().optional() }),
    bodyLimit: 10 * 1024 * 1024,
    handle: test,
  }),
];
