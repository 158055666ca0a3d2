// The mock API's runs: a few told in detail (completed, waiting, retrying, failed, huge, hostile) and several hundred ordinary ones.
// Called by world.ts. Ids of the detailed ones are fixed: tests open them by name.
import type { RunDetail, RunStatus, TaskView } from "@holdfast/protocol";
import { clerkUser, HOSTILE, requestPayload } from "./samples.ts";

const iso = (ms: number): string => new Date(ms).toISOString();
const NAMES: Record<string, string> = {
  "http-clerk": "HTTP Clerk",
  "clerk-welcome": "Welcome new users",
  "sync-invoices": "Sync invoices",
  "nightly-report": "Nightly report",
  "import-catalogue": "Import product catalogue",
  "xss-job": HOSTILE,
};

let taskCount = 0;

type TaskSeed = Partial<TaskView> & { name: string };

function task(start: number, ms: number | null, seed: TaskSeed): TaskView {
  taskCount += 1;
  return {
    id: `task_${String(taskCount).padStart(10, "0")}`,
    parentId: null,
    key: null,
    idempotencyKey: `${taskCount}9ae0c2b1f04d4c5c`,
    status: ms === null ? "RUNNING" : "COMPLETED",
    noop: false,
    attempts: 1,
    icon: null,
    description: null,
    properties: [],
    style: null,
    error: null,
    failures: [],
    startedAt: iso(start),
    completedAt: ms === null ? null : iso(start + ms),
    delayUntil: null,
    ...seed,
  };
}

const log = (at: number, level: string, message: string, params: unknown): TaskView =>
  task(at, 0, {
    name: "log",
    icon: "log",
    noop: true,
    description: message,
    params,
    properties: [{ label: "Level", text: level }],
    style: { style: "minimal", variant: level.toLowerCase() },
  });

interface RunSeed {
  id: string;
  job: string;
  status: RunStatus;
  created: number;
  ms: number | null;
  ran: number;
  tasks: TaskView[];
  extra?: Partial<RunDetail>;
}

function run({ id, job, status, created, ms, ran, tasks, extra = {} }: RunSeed): [RunDetail, TaskView[]] {
  const started = status === "QUEUED" ? null : created + 9;
  const http = job.includes("clerk") || job === "sync-invoices";
  return [
    {
      id,
      job,
      jobName: NAMES[job] ?? job,
      version: "1.0.0",
      environment: "dev",
      status,
      isTest: false,
      eventName: http
        ? `httpendpoint.${job === "sync-invoices" ? "stripe.com" : "clerk.com"}`
        : job === "nightly-report"
          ? "schedule"
          : "catalogue.import",
      createdAt: iso(created),
      startedAt: started === null ? null : iso(started),
      completedAt: ms === null || started === null ? null : iso(started + ms),
      executionMs: ran,
      executions: started === null ? 0 : 1,
      error: null,
      updatedAt: iso(created + (ms ?? 0)),
      resumeAt: null,
      errorDetail: null,
      event: {
        id: `msg_${id}`,
        rowId: `evt_${id}`,
        name: "event",
        source: http ? "clerk.com" : "trigger.dev",
        payload: http ? requestPayload(3) : { catalogue: "autumn", items: 10_000 },
        context: {},
        timestamp: iso(created),
        payloadType: http ? "REQUEST" : "JSON",
      },
      delivery: http ? { id: "dlv_00000899", endpoint: "clerk.com" } : null,
      app: { id: "app_01", slug: "clerk-example" },
      tasks: { items: [] },
      ...extra,
    },
    tasks,
  ];
}

function welcome(created: number, done: boolean): TaskView[] {
  const start = created + 12;
  const outer = task(start + 60, done ? 12_400 : null, {
    name: "Welcome",
    key: "welcome",
    icon: "person",
    params: { user: "user_29w83sxm" },
  });
  const wait = task(start + 180, done ? 10_000 : null, {
    name: "wait",
    key: "let-them-settle",
    icon: "clock",
    noop: true,
    params: { seconds: 10 },
    parentId: outer.id,
    style: { style: "minimal" },
    status: done ? "COMPLETED" : "WAITING",
    delayUntil: iso(done ? start + 10_180 : created + 45 * 60_000),
  });
  const first = [
    log(start, "INFO", "Body", clerkUser(3)),
    outer,
    task(start + 70, 84, {
      name: "Fetch user",
      key: "fetch-user",
      icon: "person",
      parentId: outer.id,
      params: { id: "user_29w83sxm" },
      output: clerkUser(3).data,
      properties: [{ label: "User", text: "user_29w83sxm", url: "https://dashboard.clerk.com/users/user_29w83sxm" }],
    }),
    wait,
  ];
  if (!done) return first;
  const failure = {
    message: "503 Service Unavailable from mail.example",
    name: "FetchError",
    stack:
      "FetchError: 503 Service Unavailable from mail.example\n    at sendWelcome (src/jobs/welcome.ts:41:13)\n    at async io.runTask (src/jobs/welcome.ts:38:5)",
  };
  return [
    ...first,
    task(start + 10_200, 2_150, {
      name: "Send welcome message",
      key: "send-welcome",
      icon: "mail",
      parentId: outer.id,
      attempts: 3,
      params: { to: "ada@example.org", template: "welcome" },
      output: { id: "eml_8812", accepted: true },
      failures: [
        { attempt: 1, at: iso(start + 10_420), error: failure },
        { attempt: 2, at: iso(start + 11_300), error: failure },
      ],
    }),
    log(start + 12_450, "WARN", "Mail needed 3 attempts", { provider: "mail.example" }),
  ];
}

function big(created: number): TaskView[] {
  const out: TaskView[] = [];
  for (let batch = 0; batch < 100; batch += 1) {
    const at = created + batch * 900;
    const parent = task(at, 880, { name: `Batch ${batch + 1}`, key: `batch-${batch}`, icon: "list" });
    out.push(parent);
    for (let item = 0; item < 99; item += 1)
      out.push(
        task(at + 4 + item * 8, 7, {
          name: `Import product ${batch * 99 + item}`,
          key: `product-${batch}-${item}`,
          parentId: parent.id,
          output: { sku: `SKU-${batch}-${item}` },
        }),
      );
  }
  return out;
}

const DECLINED = {
  message: "402 card_declined: the card was declined",
  name: "StripeCardError",
  stack:
    "StripeCardError: 402 card_declined: the card was declined\n    at chargeCard (src/jobs/invoices.ts:41:11)\n    at async Object.run (src/jobs/invoices.ts:22:18)",
};

type Told = [RunDetail, TaskView[]];

const RETRY_ERROR = { message: "ECONNRESET" };

function retryingRun(now: number): Told {
  const retrying = now - 31_000;
  return run({
    id: "run_retrying",
    job: "sync-invoices",
    status: "WAITING_TO_CONTINUE",
    created: retrying,
    ms: null,
    ran: 420,
    extra: { executions: 2, resumeAt: iso(now + 90_000) },
    tasks: [
      task(retrying + 20, 35, { name: "Load customer", key: "load-customer" }),
      task(retrying + 60, null, {
        name: "Charge card",
        key: "charge",
        status: "WAITING",
        attempts: 3,
        delayUntil: iso(now + 90_000),
        failures: [
          { attempt: 1, at: iso(retrying + 300), error: RETRY_ERROR },
          { attempt: 2, at: iso(retrying + 12_000), error: RETRY_ERROR },
        ],
        params: { amount: 4_200, currency: "eur" },
      }),
    ],
  });
}

function failedRun(now: number): Told {
  const failed = now - 9 * 60_000;
  return run({
    id: "run_failed",
    job: "sync-invoices",
    status: "FAILURE",
    created: failed,
    ms: 6_400,
    ran: 812,
    extra: { error: DECLINED.message, errorDetail: DECLINED, executions: 5, version: "2.0.1", isTest: true },
    tasks: [
      task(failed + 20, 41, { name: "Load customer", key: "load-customer", output: { id: "cus_9", name: "Example AG" } }),
      task(failed + 70, 5_000, {
        name: "wait",
        key: "cool-down",
        icon: "clock",
        noop: true,
        delayUntil: iso(failed + 5_070),
        params: { seconds: 5 },
        style: { style: "minimal" },
      }),
      task(failed + 5_100, 1_200, {
        name: "Charge card",
        key: "charge",
        status: "ERRORED",
        attempts: 2,
        error: DECLINED,
        params: { amount: 4_200, currency: "eur" },
        failures: [
          { attempt: 1, at: iso(failed + 5_600), error: { message: "429 Too Many Requests" } },
          { attempt: 2, at: iso(failed + 6_290), error: DECLINED },
        ],
      }),
    ],
  });
}

function hostileRun(now: number): Told {
  return run({
    id: "run_hostile",
    job: "xss-job",
    status: "FAILURE",
    created: now - 14 * 60_000,
    ms: 50,
    ran: 40,
    tasks: [
      log(now - 14 * 60_000 + 20, "ERROR", HOSTILE, { [HOSTILE]: HOSTILE }),
      task(now - 14 * 60_000 + 25, 10, {
        name: HOSTILE,
        key: HOSTILE,
        output: HOSTILE,
        properties: [{ label: HOSTILE, text: HOSTILE, url: "javascript:window.pwned=true" }],
      }),
    ],
    extra: {
      error: HOSTILE,
      errorDetail: { message: HOSTILE, name: HOSTILE, stack: HOSTILE },
      event: {
        id: "h",
        rowId: "evt_h",
        name: HOSTILE,
        source: HOSTILE,
        payload: { [HOSTILE]: HOSTILE },
        context: {},
        timestamp: iso(now),
        payloadType: "JSON",
      },
    },
  });
}

const told = (now: number): Told[] => [
  run({ id: "run_queued", job: "sync-invoices", status: "QUEUED", created: now - 4_000, ms: null, ran: 0, tasks: [] }),
  retryingRun(now),
  run({
    id: "run_clerk",
    job: "http-clerk",
    status: "SUCCESS",
    created: now - 42_000,
    ms: 61,
    ran: 48,
    tasks: [log(now - 41_970, "INFO", "Body", clerkUser(3))],
  }),
  run({
    id: "run_welcome",
    job: "clerk-welcome",
    status: "SUCCESS",
    created: now - 42_000,
    ms: 12_700,
    ran: 2_410,
    tasks: welcome(now - 42_000, true),
    extra: { executions: 4, version: "1.2.0", output: { sent: true, messageId: "eml_8812" } },
  }),
  run({
    id: "run_waiting",
    job: "clerk-welcome",
    status: "WAITING_TO_CONTINUE",
    created: now - 80_000,
    ms: null,
    ran: 240,
    tasks: welcome(now - 80_000, false),
    extra: { version: "1.2.0", resumeAt: iso(now - 80_000 + 45 * 60_000) },
  }),
  failedRun(now),
  hostileRun(now),
  run({
    id: "run_big",
    job: "import-catalogue",
    status: "EXECUTING",
    created: now - 95_000,
    ms: null,
    ran: 90_000,
    tasks: big(now - 95_000),
    extra: { executions: 3, version: "3.1.4" },
  }),
];

const ORDINARY = ["http-clerk", "clerk-welcome", "sync-invoices", "http-clerk", "import-catalogue", "nightly-report"];

function ordinary(now: number, at: number): [RunDetail, TaskView[]] {
  const job = ORDINARY[at % ORDINARY.length] ?? "http-clerk";
  const failed = at % 29 === 7;
  const status: RunStatus = failed ? "FAILURE" : at % 61 === 30 ? "CANCELED" : at % 97 === 50 ? "TIMED_OUT" : "SUCCESS";
  const created = now - 16 * 60_000 - at * 190_000 - (at % 7) * 41_000;
  const ms = 40 + ((at * 7919) % 4_000);
  const error = failed
    ? { error: "connect ETIMEDOUT 10.0.4.17:443", errorDetail: { message: "connect ETIMEDOUT 10.0.4.17:443" } }
    : {};
  return run({
    id: `run_${String(100_000 - at)}`,
    job,
    status,
    created,
    ms,
    ran: Math.min(ms, 300),
    tasks: [log(created + 20, "INFO", "Body", clerkUser(at))],
    extra: error,
  });
}

export function makeRuns(now: number): { runs: RunDetail[]; tasks: Map<string, TaskView[]> } {
  taskCount = 0;
  const all = [...told(now), ...Array.from({ length: 420 }, (_, at) => ordinary(now, at))];
  return {
    runs: all.map(([detail]) => detail).sort((a, b) => b.createdAt.localeCompare(a.createdAt)),
    tasks: new Map(all.map(([detail, tasks]) => [detail.id, tasks])),
  };
}
