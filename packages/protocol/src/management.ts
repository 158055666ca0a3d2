// Shapes of the management API under /api/v1/environments/:environment, which the dashboard and the CLI read. Times are ISO strings.
import type { DeliveryVerdict, RunStatus, TaskStatus } from "./statuses.ts";
import type { EnvironmentType } from "./v2/endpoint.ts";

export interface Page<T> {
  items: T[];
  /** Pass as `cursor` for the next page; absent on the last. */
  nextCursor?: string;
}

/** GET /api/v1/session */
export interface SessionInfo {
  mode: "dev" | "start";
  /** False when a login is due: POST /api/v1/session {password}. In dev always true. */
  authenticated: boolean;
  version: string;
  environments: EnvironmentInfo[];
}

/** GET /api/v1/environments */
export interface EnvironmentInfo {
  id: string;
  slug: string;
  type: EnvironmentType;
  publicKey: string;
  /** Prefix and last four characters of the secret key. */
  secretKeyPreview: string;
}

/** GET …/keys, POST …/keys/rotate */
export interface EnvironmentKeys {
  secretKey: string;
  publicKey: string;
}

/** GET …/runs?job=&status=&after=&before=&q=&cursor=&limit= (status: a v2 name, repeatable; times ISO). Newest first. */
export interface RunSummary {
  id: string;
  job: string;
  jobName: string;
  version: string;
  environment: string;
  status: RunStatus;
  isTest: boolean;
  eventName: string;
  createdAt: string;
  startedAt: string | null;
  completedAt: string | null;
  /** Milliseconds spent inside executions. */
  executionMs: number;
  executions: number;
  /** One line: the error of a failed run. */
  error: string | null;
}

/** GET …/runs/:id */
export interface RunDetail extends RunSummary {
  updatedAt: string;
  /** When a waiting run is due, or a queued one may start. */
  resumeAt: string | null;
  output?: unknown;
  errorDetail: { message: string; name?: string; stack?: string } | null;
  event: {
    id: string;
    rowId: string;
    name: string;
    source: string;
    payload: unknown;
    context: unknown;
    timestamp: string;
    payloadType: "JSON" | "REQUEST";
  };
  delivery: { id: string; endpoint: string } | null;
  app: { id: string; slug: string };
  /** First page, in order of start; the rest by GET …/runs/:id/tasks?cursor= */
  tasks: Page<TaskView>;
}

export interface TaskView {
  id: string;
  parentId: string | null;
  name: string;
  /** The cache key the job gave, when it was a string. */
  key: string | null;
  idempotencyKey: string;
  status: TaskStatus;
  noop: boolean;
  attempts: number;
  icon: string | null;
  description: string | null;
  params?: unknown;
  output?: unknown;
  properties: { label: string; text: string; url?: string }[];
  style: { style: "normal" | "minimal"; variant?: string } | null;
  error: { message: string; name?: string; stack?: string } | null;
  /** Attempts that failed, oldest first. */
  failures: { attempt: number; at: string; error: { message: string; name?: string; stack?: string } }[];
  startedAt: string | null;
  completedAt: string | null;
  delayUntil: string | null;
}

/** GET …/deliveries?endpoint=&verdict=&cursor=&limit= Newest first. */
export interface DeliverySummary {
  id: string;
  /** The endpoint's id as its author wrote it, or null when the URL named none. */
  endpoint: string | null;
  method: string;
  path: string;
  verdict: DeliveryVerdict;
  reason: string | null;
  /** HTTP status the sender was answered. */
  status: number;
  /** The sender's own id of this message, when it sent one. */
  senderId: string | null;
  /** Bytes received (the stored body can be shorter: see bodyTruncated). */
  size: number;
  runs: string[];
  receivedAt: string;
}

/** GET …/jobs/:id/skips?cursor=&limit= Events that started no run of it, newest first. */
export interface Skip {
  job: string;
  reason: "rate-limited" | "debounced";
  /** In a sentence. */
  why: string;
  at: string;
  /** Rate-limited: when an event would have started a run. */
  until: string | null;
  /** Debounced: the id of the event that took its place. */
  replacedBy: string | null;
  /** As its sender named it. */
  eventId: string;
  eventRowId: string;
  eventName: string;
  /** The request it came in. */
  delivery: string | null;
}

/** GET …/deliveries/:id; POST …/deliveries/:id/replay answers the new DeliverySummary. */
export interface DeliveryDetail extends DeliverySummary {
  url: string;
  headers: [string, string][];
  /** The raw bytes, base64. */
  bodyBase64: string;
  bodyTruncated: boolean;
  eventId: string | null;
  /** Jobs it started no run of, though their triggers match. */
  skipped: Skip[];
}

/** GET …/endpoints */
export interface EndpointInfo {
  /** As its author wrote it, slugified: "clerk.com". */
  id: string;
  rowId: string;
  title: string;
  source: string;
  icon: string | null;
  url: string;
  enabled: boolean;
  app: string;
  jobs: string[];
  /** Catalogue entry whose samples fit, if any. */
  provider: string | null;
  samples: { name: string; title: string }[];
  /** Who verifies: the app's verify(), or a preset on the server with a stored secret, or (published v2 SDK) the app inside the run. */
  verification: "app" | "preset" | "in-run";
  hasSecret: boolean;
  lastDeliveryAt: string | null;
  accepted24h: number;
  refused24h: number;
}

/** POST …/endpoints/:id/send: forges a request and sends it over HTTP to the endpoint's own URL. */
export interface SendSampleRequest {
  sample: string;
  forge?: "valid" | "tampered" | "stale" | "unsigned" | "wrong-secret";
  /** Signing secret; default: the one stored for the endpoint, or the one `dev` gave the app. */
  secret?: string;
}
export interface SendSampleResult {
  status: number;
  deliveryId: string | null;
}

/** GET …/jobs */
export interface JobInfo {
  id: string;
  name: string;
  version: string;
  enabled: boolean;
  app: string;
  trigger: { type: "event" | "http" | "scheduled" | "dynamic" | "invoke"; title: string; filter?: unknown };
  endpoint: string | null;
  /** What it uses, by their names in `io`. LOCAL: with credentials in its code; RESOLVER: the app finds them for each run; HOSTED: they are missing. */
  integrations: { key: string; id: string; name: string; authSource: "LOCAL" | "RESOLVER" | "HOSTED" }[];
  /** Newest first, at most 20. */
  lastRuns: { id: string; status: RunStatus; createdAt: string }[];
  runs24h: number;
  failed24h: number;
}

/** Integrations whose credentials the server keeps (v2's authSource HOSTED). */
export interface IntegrationsInfo {
  /** To be entered at the provider, where the OAuth app is made. */
  redirectUrl: string;
  providers: {
    id: string;
    name: string;
    appsUrl: string | null;
    /** The app must say where it is. */
    needsUrls: boolean;
    /** Disconnecting ends tokens there, too, where it is known how. */
    endsTokens: boolean;
  }[];
  integrations: IntegrationInfo[];
  /** There are more connections than are listed. */
  more: boolean;
}
export interface IntegrationInfo {
  id: string;
  name: string;
  /** Ids of the jobs that use it. */
  jobs: string[];
  /** Null: nobody has set it up. Its secret is never told. */
  app: {
    provider: string;
    clientId: string;
    hasSecret: boolean;
    scopes: string[];
    authorizeUrl: string | null;
    tokenUrl: string | null;
    /** Where tokens are ended (RFC 7009), if not where everybody's are. */
    revokeUrl: string | null;
    /** What its answers call it (RFC 9207). */
    issuer: string | null;
  } | null;
  connections: ConnectionInfo[];
}
/** A connection, or one that runs wait for. Its tokens are never told. */
export interface ConnectionInfo {
  /** Null: there never was one. */
  id: string | null;
  /** Null: the developer's own. */
  accountId: string | null;
  /** connected; broken: its provider takes its tokens no more; none: there is none, or not any more. */
  status: "connected" | "broken" | "none";
  /** Whom the provider knows it as. */
  title: string | null;
  scopes: string[];
  expiresAt: string | null;
  refreshable: boolean;
  error: string | null;
  /** Tokens of it that are not ended at the provider yet, though it was disconnected: why not, and when that is tried again (null: no more). Null: there are none. */
  ending: { error: string | null; nextTryAt: string | null } | null;
  /** Runs that wait for it. */
  waitingRuns: number;
  updatedAt: string | null;
}

/** GET …/apps */
export interface AppInfo {
  id: string;
  slug: string;
  transport: "connect" | "push";
  url: string | null;
  sdk: string | null;
  /** Connected to one of the servers now (connect), or answering at last call (push). */
  reachable: boolean;
  lastError: string | null;
  indexedAt: string | null;
  jobs: number;
  endpoints: number;
  /** Path whose call, by anyone who knows it, asks the app for its jobs again: for the platform that deploys it. Null: a connected app needs none. */
  indexHook: string | null;
}

/** Messages of GET …/live (server-sent events, one JSON object in `data`): what changed, not how; the client fetches again. */
export type LiveMessage =
  | { type: "run"; id: string; job: string; status: RunStatus }
  | { type: "tasks"; runId: string }
  | { type: "delivery"; id: string; verdict: DeliveryVerdict }
  | { type: "apps" };

/** GET /api/v1/catalogue, GET /api/v1/catalogue/:id */
export interface CatalogueSummary {
  id: string;
  name: string;
  category: string;
  summary: string;
}
export interface CatalogueEntry extends CatalogueSummary {
  docsUrl: string;
  secretEnv: string | null;
  signature: { scheme: string; headers: string[]; signs: string; secret: string; mistakes: string[] } | null;
  events: { name: string; title: string; body: unknown }[];
  samples: { id: string; title: string; description: string; files: { name: string; language: string; code: string }[] }[];
}

/** GET …/overview: what the home screen shows. The 24 hours are whole clock hours (UTC), the running one last. */
export interface Overview {
  /** Oldest first, 24 entries, hours without runs included; a run counts in the hour it was created, under its status now. */
  hours: { start: string; runs: Partial<Record<RunStatus, number>> }[];
  /** Jobs with at least one failed run in these hours, most failures first, at most 10. */
  failingJobs: {
    job: string;
    jobName: string;
    runs: number;
    failed: number;
    lastFailure: { runId: string; error: string | null; at: string };
  }[];
  /** Runs that are due and not executing yet. */
  queueDepth: number;
  /** Milliseconds the longest-waiting of them has been due; null when none is. */
  oldestQueuedMs: number | null;
}
