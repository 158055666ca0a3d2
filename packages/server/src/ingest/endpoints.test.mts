// Room: ingest. For tests: a server with endpoints of every kind, a sender, and the worker's part of verification.
import type { DeliveryDetail } from "@holdfast/protocol";
import { Webhook } from "svix";
import { endpoint, endpointJob, type Fixture, startFixture } from "../http/fixture.test.mts";
import { allQueues } from "../store/queues.ts";
import type { Claimed } from "../store/store.ts";
import { endpointPurpose } from "./secret.ts";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const LIMIT = 1024 * 1024;
const HOLDFAST = { holdfast: { sdk: "0.1.0" } };

const ENDPOINTS = [
  endpoint("stored"),
  endpoint("told", { answer: "verified" }),
  endpoint("off", { enabled: false }),
  endpoint("preset"),
  endpoint("preset-told", { answer: "verified" }),
  endpoint("asks", { immediateResponseFilter: { method: ["GET", "HEAD"], query: { challenge: [{ $exists: true }] } } }),
  endpoint("asks-only", { immediateResponseFilter: { method: ["POST"] }, skipTriggeringRuns: true }),
  endpoint("asks-first", { immediateResponseFilter: { method: ["POST"] } }),
  endpoint("gets"),
];
const JOBS = [
  endpointJob("all-stored", "stored"),
  endpointJob("created-only", "stored", { body: { type: ["user.created"] } }),
  ...["told", "preset", "preset-told", "asks", "asks-only", "asks-first"].map((id) => endpointJob(`on-${id}`, id)),
  endpointJob("on-gets", "gets", { method: ["GET", "POST"] }),
];

export interface Sent {
  status: number;
  headers: Headers;
  text: string;
  /** The delivery's. */
  id: string | null;
}
export type Endpoints = Awaited<ReturnType<typeof startEndpoints>>;

export async function startEndpoints() {
  const server = await startFixture({ bodyBytes: LIMIT });
  const { dev, prod } = server.environments;
  await server.index("app", dev, { jobs: JOBS, httpEndpoints: [...ENDPOINTS, endpoint("gone")], ...HOLDFAST });
  await server.index("app", dev, { jobs: JOBS, httpEndpoints: ENDPOINTS, ...HOLDFAST });
  await server.index("old", prod, { jobs: [endpointJob("v2-job", "v2")], httpEndpoints: [endpoint("v2")] });
  for (const slug of ["preset", "preset-told"]) {
    const known = server.registry.endpointIn(dev.id, slug);
    if (!known) throw new Error(slug);
    await server.registry.saveEndpoint({
      ...known.row,
      preset: "svix",
      secretSealed: server.rooms.vault.seal(SECRET, endpointPurpose(known.row)),
    });
  }
  // Deliveries wait for a worker, which the tests play, unless a test says that the app is here.
  server.app.here = false;
  return { server, ...actionsOf(server) };
}

function actionsOf(server: Fixture) {
  const { store, world, rooms } = server;
  /** Claims what is due, the way the worker does. */
  const claim = async (): Promise<Claimed[]> => {
    const queues = allQueues([], server.registry.apps()).map((queue) => ({ queue, limit: 50 }));
    const lease = { now: world.now(), leaseUntil: world.now() + 60_000, owner: "test" };
    const newToken = (subject: string): string => `t.${subject}.${world.newId("execution")}`;
    return (await store.claim({ queues, ...lease, newToken }, () => null)).items;
  };
  return {
    claim,
    /** What the worker does with a pending delivery. */
    async work(id: string | null): Promise<string> {
      const item = (await claim()).find((one) => one.kind === "delivery" && one.delivery.id === id);
      return item?.kind === "delivery" ? rooms.ingest.verify(item.delivery, item.token) : "not due";
    },
    async post(slug: string, init: RequestInit = {}, environment = server.environments.dev): Promise<Sent> {
      const response = await fetch(server.at(environment, slug), { method: "POST", body: "{}", ...init } as RequestInit);
      const { status, headers } = response;
      return { status, headers, text: await response.text(), id: headers.get("x-holdfast-delivery") };
    },
    async delivery(id: string | null, environment: "dev" | "prod" = "dev"): Promise<DeliveryDetail> {
      const key = server.keys[environment].secretKey;
      const answer = await server.api(`/api/v1/environments/${environment}/deliveries/${id}`, { key });
      if (answer.status !== 200) throw new Error(`delivery ${id}: ${answer.status} ${answer.text}`);
      return answer.json();
    },
    /** Every pretended app verifies, and what it was asked is forgotten. */
    calm(): void {
      server.app.asked.length = 0;
      server.app.here = false;
      server.app.verify = async () => ({ type: "verified", result: { success: true } });
    },
  };
}

let messages = 0;
/** The headers a sender on Svix sends with a body. */
export function svix(body: string, options: { at?: Date; id?: string; secret?: string } = {}): Record<string, string> {
  const id = options.id ?? `msg_${++messages}`;
  const at = options.at ?? new Date();
  const signature = new Webhook(options.secret ?? SECRET).sign(id, at, body);
  const stamp = String(Math.floor(at.getTime() / 1000));
  return { "svix-id": id, "svix-timestamp": stamp, "svix-signature": signature, "content-type": "application/json" };
}
