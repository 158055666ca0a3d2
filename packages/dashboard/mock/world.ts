// The mock API's data: one environment with jobs, endpoints, apps and deliveries as a busy small team would have them.
// Called by api.ts. Deterministic: the same moment gives the same world, so screenshots and tests can rely on it.
import type {
  AppInfo,
  DeliveryDetail,
  EndpointInfo,
  EnvironmentInfo,
  IntegrationsInfo,
  JobInfo,
  RunDetail,
  Skip,
  TaskView,
} from "@holdfast/protocol";
import { makeRuns } from "./runs.ts";
import { clerkUser, HOSTILE } from "./samples.ts";

export interface World {
  now: number;
  nextId: number;
  runs: RunDetail[];
  tasks: Map<string, TaskView[]>;
  deliveries: DeliveryDetail[];
  endpoints: EndpointInfo[];
  jobs: JobInfo[];
  apps: AppInfo[];
  integrations: IntegrationsInfo;
}

export const ENVIRONMENTS: EnvironmentInfo[] = [
  { id: "env_dev", slug: "dev", type: "DEVELOPMENT", publicKey: "pk_dev_7Hq2mXv0aTz9", secretKeyPreview: "tr_dev_…x9Qf" },
  { id: "env_prod", slug: "prod", type: "PRODUCTION", publicKey: "pk_prod_Lw81nBcs55Ke", secretKeyPreview: "tr_prod_…M2va" },
];

const iso = (ms: number): string => new Date(ms).toISOString();

export const JOBS: Pick<JobInfo, "id" | "name" | "version" | "enabled" | "trigger" | "endpoint">[] = [
  {
    id: "http-clerk",
    name: "HTTP Clerk",
    version: "1.0.0",
    enabled: true,
    endpoint: "clerk.com",
    trigger: { type: "http", title: "Clerk request" },
  },
  {
    id: "clerk-welcome",
    name: "Welcome new users",
    version: "1.2.0",
    enabled: true,
    endpoint: "clerk.com",
    trigger: { type: "http", title: "Clerk request", filter: { body: { type: ["user.created"] } } },
  },
  {
    id: "sync-invoices",
    name: "Sync invoices",
    version: "2.0.1",
    enabled: true,
    endpoint: "stripe.com",
    trigger: { type: "http", title: "Stripe request" },
  },
  {
    id: "nightly-report",
    name: "Nightly report",
    version: "0.9.0",
    enabled: true,
    endpoint: null,
    trigger: { type: "scheduled", title: "0 3 * * *" },
  },
  {
    id: "import-catalogue",
    name: "Import product catalogue",
    version: "3.1.4",
    enabled: true,
    endpoint: null,
    trigger: { type: "event", title: "catalogue.import" },
  },
  { id: "xss-job", name: HOSTILE, version: "1.0.0", enabled: true, endpoint: null, trigger: { type: "event", title: HOSTILE } },
  {
    id: "legacy-cleanup",
    name: "Legacy clean-up",
    version: "0.1.0",
    enabled: false,
    endpoint: null,
    trigger: { type: "event", title: "cleanup.requested" },
  },
];

const SAMPLES = [
  { name: "user.created", title: "User created" },
  { name: "user.updated", title: "User updated" },
];

function makeEndpoints(now: number, origin: string): EndpointInfo[] {
  const common = { enabled: true, app: "clerk-example", icon: null };
  return [
    {
      ...common,
      id: "clerk.com",
      rowId: "hep_01",
      title: "Clerk",
      source: "clerk.com",
      url: `${origin}/api/v1/http-endpoints/hep_01/env/dev/4f1b`,
      jobs: ["http-clerk", "clerk-welcome"],
      provider: "clerk",
      samples: SAMPLES,
      verification: "app",
      hasSecret: false,
      lastDeliveryAt: iso(now - 42_000),
      accepted24h: 318,
      refused24h: 7,
    },
    {
      ...common,
      id: "stripe.com",
      rowId: "hep_02",
      title: "Stripe",
      source: "stripe.com",
      url: `${origin}/api/v1/http-endpoints/hep_02/env/dev/a07c`,
      jobs: ["sync-invoices"],
      provider: null,
      samples: [],
      verification: "preset",
      hasSecret: true,
      lastDeliveryAt: iso(now - 3_900_000),
      accepted24h: 96,
      refused24h: 0,
    },
    {
      ...common,
      id: "partner-feed",
      rowId: "hep_03",
      title: "Partner feed",
      source: "partner.example",
      url: `${origin}/api/v1/http-endpoints/hep_03/env/dev/99d1`,
      jobs: [],
      provider: null,
      samples: [],
      verification: "in-run",
      hasSecret: false,
      lastDeliveryAt: null,
      accepted24h: 0,
      refused24h: 0,
    },
  ];
}

function makeApps(now: number): AppInfo[] {
  return [
    {
      id: "app_01",
      slug: "clerk-example",
      transport: "connect",
      url: null,
      sdk: "@holdfast/sdk 0.1.0",
      reachable: true,
      lastError: null,
      indexedAt: iso(now - 95_000),
      jobs: 5,
      endpoints: 2,
      indexHook: null,
    },
    {
      id: "app_02",
      slug: "billing",
      transport: "push",
      url: "https://billing.internal.example/api/trigger",
      sdk: "@trigger.dev/sdk 2.3.19",
      reachable: false,
      lastError: "connect ECONNREFUSED 10.0.4.17:443 (3 attempts, last 20 s ago)",
      indexedAt: iso(now - 7_200_000),
      jobs: 2,
      endpoints: 1,
      indexHook: "/api/v1/endpoints/dev/billing/index/0f3c9a71e2b84d56c0aa",
    },
  ];
}

const REFUSALS: [reason: string, status: number][] = [
  ["Missing svix headers", 200],
  ["No matching signature found", 200],
  ["Message timestamp too old", 200],
  ["Body is larger than the limit of 10 MB", 413],
];

function makeDelivery(now: number, at: number, runs: string[]): DeliveryDetail {
  const kind = at % 11 === 4 ? "refused" : at % 13 === 6 ? "duplicate" : at === 0 ? "pending" : "verified";
  const [reason, refusedStatus] = REFUSALS[Math.floor(at / 11) % REFUSALS.length] ?? ["", 200];
  const binary = at === 15;
  const body = binary
    ? Buffer.from(Array.from({ length: 5_000 }, (_, byte) => (byte * 31) % 256))
    : Buffer.from(JSON.stringify(clerkUser(at)));
  const id = `dlv_${String(900 - at).padStart(8, "0")}`;
  const url = "http://127.0.0.1:3040/api/v1/http-endpoints/hep_01/env/dev/4f1b";
  return {
    id,
    endpoint: at === 26 ? null : at % 7 === 3 ? "stripe.com" : "clerk.com",
    method: at === 26 ? "GET" : "POST",
    path: new URL(url).pathname,
    verdict: kind,
    reason: kind === "refused" ? reason : kind === "duplicate" ? "Same svix-id as an earlier request" : null,
    status: kind === "refused" ? refusedStatus : 200,
    senderId: kind === "refused" && reason.startsWith("Missing") ? null : `msg_2p${(at * 7919).toString(36)}`,
    size: refusedStatus === 413 && kind === "refused" ? 20_971_520 : body.length,
    runs: kind === "verified" ? runs : [],
    receivedAt: iso(now - 42_000 - at * 173_000),
    url,
    headers: [
      ["content-type", binary ? "application/octet-stream" : "application/json"],
      ["user-agent", "Svix-Webhooks/1.24"],
      ["svix-id", `msg_2p${(at * 7919).toString(36)}`],
      ["svix-timestamp", String(Math.floor((now - at * 173_000) / 1000))],
      ["svix-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="],
      ["x-note", HOSTILE],
    ],
    bodyBase64: body.toString("base64"),
    bodyTruncated: refusedStatus === 413 && kind === "refused",
    eventId: kind === "verified" ? `evt_${at}` : null,
    skipped: at === 1 ? [makeSkip(now, at)] : [],
  };
}

/** An event that came too often. */
export function makeSkip(now: number, at: number): Skip {
  const until = iso(now + 60_000);
  return {
    job: "http-clerk",
    reason: "rate-limited",
    why: `The job's rateLimit was used up until ${until}.`,
    at: iso(now - 42_000 - at * 173_000),
    until,
    replacedBy: null,
    eventId: `msg_${at}`,
    eventRowId: `evt_${at}`,
    eventName: HOSTILE,
    delivery: null,
  };
}

function makeJobs(runs: readonly RunDetail[], now: number): JobInfo[] {
  const day = now - 86_400_000;
  return JOBS.map((job) => {
    const own = runs.filter((run) => run.job === job.id);
    const recent = own.filter((run) => Date.parse(run.createdAt) > day);
    const failed = recent.filter((run) => run.status === "FAILURE" || run.status === "TIMED_OUT").length;
    return {
      ...job,
      app: "clerk-example",
      integrations: [],
      lastRuns: own.slice(0, 20).map(({ id, status, createdAt }) => ({ id, status, createdAt })),
      runs24h: recent.length,
      failed24h: failed,
    };
  });
}

const CONNECTION = {
  ...{ id: "conn_1", title: null, scopes: ["repo", "read:user"], error: null, ending: null },
  ...{ waitingRuns: 0, refreshable: true },
};

export function makeIntegrations(now: number, origin: string, empty = false): IntegrationsInfo {
  const [updatedAt, expiresAt] = [iso(now - 3_600_000), iso(now + 3_600_000)];
  const github: IntegrationsInfo["integrations"][number] = {
    id: "github",
    name: "GitHub",
    jobs: ["http-clerk"],
    app: {
      provider: "github",
      clientId: "Iv1.8a61f9b3",
      hasSecret: true,
      scopes: CONNECTION.scopes,
      authorizeUrl: null,
      tokenUrl: null,
      revokeUrl: null,
      issuer: null,
    },
    connections: [
      { ...CONNECTION, accountId: null, status: "connected", expiresAt, updatedAt },
      {
        ...CONNECTION,
        ...{ accountId: HOSTILE, status: "broken", expiresAt: null, error: HOSTILE, refreshable: false, updatedAt },
        ending: { error: HOSTILE, nextTryAt: expiresAt },
      },
    ],
  };
  const lack = {
    ...CONNECTION,
    id: null,
    accountId: null,
    status: "none" as const,
    scopes: [],
    refreshable: false,
    waitingRuns: 3,
  };
  const slack = { id: "slack", name: "Slack", jobs: [], app: null, connections: [{ ...lack, expiresAt: null, updatedAt: null }] };
  return {
    redirectUrl: `${origin}/oauth2/callback`,
    providers: [
      { id: "github", name: "GitHub", appsUrl: "https://github.com/settings/developers", needsUrls: false, endsTokens: true },
      { id: "oauth2", name: "Any OAuth 2.0 service", appsUrl: null, needsUrls: true, endsTokens: true },
    ],
    integrations: empty ? [] : [github, slack],
    more: false,
  };
}

export function makeWorld(now: number, origin: string, empty = false): World {
  const integrations = makeIntegrations(now, origin, empty);
  if (empty)
    return { now, nextId: 1, runs: [], tasks: new Map(), deliveries: [], endpoints: [], jobs: [], apps: [], integrations };
  const { runs, tasks } = makeRuns(now);
  const clerkRuns = runs.filter((run) => run.job === "http-clerk").map((run) => run.id);
  const deliveries = Array.from({ length: 160 }, (_, at) => makeDelivery(now, at, clerkRuns.slice(at, at + 1)));
  return {
    now,
    nextId: 1,
    runs,
    tasks,
    deliveries,
    endpoints: makeEndpoints(now, origin),
    jobs: makeJobs(runs, now),
    apps: makeApps(now),
    integrations,
  };
}
