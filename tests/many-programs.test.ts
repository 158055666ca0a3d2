// Programs of shops, of people, of data and of hooks, as users of v2 wrote them: one app of all of them on the published SDK, and the same files on ours, by connect and by push,
// each in an environment of its own. Each job comes to what is written here, and all three show the same tasks.
import { createHmac } from "node:crypto";
import type { RunDetail, TaskView } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, PROD_KEY, TestServer } from "./harness/server.ts";
import { shown, steady } from "./harness/shown.ts";
import { until } from "./harness/until.ts";
import { VendorOfPrograms } from "./harness/vendor-of-programs.ts";

const FILES = ["programs", "programs-vendor", "programs-commerce", "programs-people", "programs-data", "programs-hooks"];
const LONG = { timeout: 120_000 };
const PATIENT = { withinMs: 90_000, everyMs: 250 };

type Start =
  | { event: string; payload?: unknown; more?: { source?: string; context?: unknown; options?: { accountId: string } } }
  /** A test run, of jobs on a schedule. */
  | { test: unknown }
  | { endpoint: string; query?: string; headers?: Record<string, string>; body: string };

interface Expected {
  job: string;
  /** Left out: other jobs start it. */
  starts?: Start[];
  /** One for each run, in any order; of a failed run its error's message. */
  ends: unknown[];
}

const signed = (body: string, secret = "hush") => ({
  "content-type": "application/json",
  "x-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
});
const issue = (title: string, action = "opened") => JSON.stringify({ action, issue: { title } });
const order = (id: string, sku: string, quantity: number) => ({ id, customer: `${id}@example.com`, lines: [{ sku, quantity }] });
const schedule = { ts: "2026-03-02T09:00:00.000Z" };

const SHOP: Expected[] = [
  {
    job: "fulfil-order",
    starts: [
      { event: "shop.order.created", payload: order("o1", "mug", 2) },
      { event: "shop.order.created", payload: order("o2", "pen", 9) },
      { event: "shop.order.created", payload: { ...order("o3", "pen", 1), customer: "nobody" } },
    ],
    ends: [{ order: "o1", charge: { cents: 1800, key: 64 } }, /Only 3 of pen left/, "INVALID_PAYLOAD"],
  },
  { job: "mail-shipped", ends: [{ ok: true, sent: "o1" }] },
  {
    job: "abandoned-cart",
    starts: ["c1", "c2"].map((cart) => ({ event: "shop.cart.updated", payload: { cart } })),
    ends: [{ reminded: true }, { reminded: false }],
  },
  {
    job: "dun-invoice",
    starts: [
      { event: "shop.invoice.due", payload: { invoice: "i1", patience: 1 } },
      { event: "shop.invoice.due", payload: { invoice: "i2", patience: 80 } },
    ],
    ends: [
      { reminders: ["friendly", "firm"], paid: null },
      { reminders: [], paid: "i2" },
    ],
  },
  { job: "write-off", ends: [{ invoice: "i1", by: "shop.invoice.lost" }] },
  {
    job: "refund",
    starts: [500, 2_000, 9_000].map((cents) => ({ event: "shop.refund.asked", payload: { order: `o${cents}`, cents } })),
    ends: [
      { refunded: 500, by: "the rules" },
      { refunded: 2_000, by: "somebody" },
      { refunded: 0, by: "the boss" },
    ],
  },
  {
    job: "restock-all",
    starts: [{ event: "shop.stock.counted", payload: { wanted: { pen: 10, desk: 4, mug: 1 } } }],
    ends: [
      [
        { sku: "pen", ordered: 7 },
        { status: "FAILURE", why: "No supplier has desk" },
        { sku: "mug", ordered: 0 },
      ],
    ],
  },
  { job: "restock", ends: [{ sku: "pen", ordered: 7 }, /No supplier has desk/, { sku: "mug", ordered: 0 }] },
  {
    job: "apply-discounts",
    starts: [{ event: "shop.sale.begins", payload: { percent: 10 } }],
    ends: [{ mug: 810, pen: 135 }],
  },
];

const PEOPLE: Expected[] = [
  {
    job: "onboard",
    starts: [
      { event: "people.user.created", payload: { id: "u1", plan: "team" } },
      { event: "people.user.created", payload: { id: "u2" } },
    ],
    ends: ["team", "free"].map((plan) => ({
      ...{ plan, label: "Ready", state: "success" },
      history: [null, "workspace", "avatar", "mail"],
    })),
  },
  { job: "greet-teams", ends: ["Hello, team of u1"] },
  { job: "weekly-digest", starts: [{ test: schedule }], ends: [{ year: 2026, mailed: ["r1", "r3"] }] },
  {
    job: "begin-trial",
    starts: [{ event: "people.trial.begins", payload: { id: "u3" } }],
    ends: [{ every: { type: "interval", options: { seconds: 86_400 } }, active: true, ended: true }],
  },
  {
    job: "invite",
    starts: [true, false].map((accepts) => ({ event: "people.invited", payload: { mail: `${accepts}@example.com`, accepts } })),
    ends: [{ expires: false, runs: 0 }, { expires: true }],
  },
  { job: "expire-invitation", ends: ["deleted false@example.com"] },
  {
    job: "experiment",
    starts: [{ event: "people.experiment", payload: { id: "u4" } }],
    ends: [{ id: "u4", same: true }],
  },
  {
    job: "delete-account",
    starts: [false, true].map((stuck) => ({ event: "people.account.deleted", payload: { id: "u5", stuck } })),
    ends: [
      { deleted: true, undone: [] },
      { deleted: false, undone: ["sessions"] },
    ],
  },
  {
    job: "escalate-ticket",
    starts: [true, false].map((urgent) => ({ event: "people.ticket.opened", payload: { ticket: `t ${urgent}`, urgent } })),
    ends: [{ escalation: "t true to the team lead" }, { escalation: "t false to the team lead" }],
  },
];

const DATA: Expected[] = [
  { job: "check-sites", starts: [{ test: schedule }], ends: [{ down: ["s2"], first: true, ts: true }] },
  { job: "page-on-call", ends: [] },
  { job: "page-on-call-for-s2", ends: ["1 down"] },
  {
    job: "import-csv",
    starts: [{ event: "data.csv.uploaded", payload: { csv: "mugs;9.5\npens;many\ndesks;100" } }],
    ends: [{ imported: 10_950, refused: ["pens"] }],
  },
  { job: "copy-pages", starts: [{ event: "data.copy", payload: { size: 3 } }], ends: [{ copied: 7 }] },
  {
    job: "report",
    starts: [{ event: "data.report", payload: { regions: { north: [1, 2], south: [5] } } }],
    ends: [
      {
        reports: [
          { region: "north", sum: 3, account: "acme", asked: "Q3" },
          { region: "south", sum: 5, account: "acme", asked: "Q3" },
        ],
      },
    ],
  },
  {
    job: "report-region",
    ends: [
      { region: "north", sum: 3, account: "acme", asked: "Q3" },
      { region: "south", sum: 5, account: "acme", asked: "Q3" },
      { region: "none", sum: 0, account: "acme" },
    ],
  },
  {
    job: "summarize",
    starts: [{ event: "data.summarize", payload: { text: "Whales are large" } }],
    ends: [{ summary: "Whales", started: 200 }],
  },
  { job: "polite-calls", starts: [{ event: "data.polite" }], ends: [{ attempts: 3 }] },
  {
    job: "count-visits",
    starts: [1, 1, 1].map((by) => ({ event: "data.visit", payload: { by } })),
    ends: [{ total: 1 }, { total: 2 }, { total: 3 }],
  },
  {
    job: "tell-once",
    starts: [{ event: "data.published", payload: { article: "a1", to: ["x", "y"] } }],
    ends: [{ sent: 2, same: true }],
  },
  {
    job: "tell",
    ends: [
      { ok: true, sent: "undefined" },
      { ok: true, sent: "undefined" },
    ],
  },
];

const HOOKS: Expected[] = [
  {
    job: "label-issue",
    starts: [issue("crash on start"), issue("how to?"), issue("old", "closed")].map((body) => ({
      ...{ endpoint: "forge.example", body },
      headers: { ...signed(body), "x-event": "issues" },
    })),
    ends: [
      { label: "bug", method: "POST" },
      { label: "question", method: "POST" },
    ],
  },
  {
    job: "thank-for-star",
    starts: [{ endpoint: "forge.example", body: "{}", headers: { ...signed("{}"), "x-event": "star" } }],
    ends: [{ text: 2 }],
  },
  {
    job: "contact-form",
    starts: [
      {
        ...{ endpoint: "forms", query: "?token=hush", body: "from=Ada+L&text=1%2B1%3D2" },
        headers: { "content-type": "application/x-www-form-urlencoded" },
      },
    ],
    ends: [{ from: "Ada L", text: "1+1=2" }],
  },
  {
    job: "answer-chat",
    starts: ["ping", "pong"].map((text) => ({
      ...{ endpoint: "chat", body: JSON.stringify({ text, channel: "c" }) },
      headers: { "content-type": "application/json" },
    })),
    ends: [{ ok: true, sent: "pong" }],
  },
  {
    job: "deploy",
    starts: [{ commit: "abc" }, { commit: "bad", breaks: true }].map((payload) => ({ event: "hooks.deploy", payload })),
    ends: [{ commit: "abc", url: "https://abc.example" }, /bad does not start/],
  },
  { job: "rotate-keys", starts: [{ event: "hooks.rotate" }], ends: [{ works: 12 }] },
  {
    job: "pick-by-context",
    starts: [
      {
        event: "hooks.saved",
        payload: { size: 3 },
        more: { source: "app", context: { by: "Ada" }, options: { accountId: "acme" } },
      },
      { event: "hooks.saved", payload: { size: 3, draft: true }, more: { source: "app" } },
      { event: "hooks.saved", payload: { size: 11 }, more: { source: "app" } },
      { event: "hooks.saved", payload: { size: 3 } },
    ],
    ends: [{ size: 3, by: "Ada", account: "acme" }],
  },
];

const THEMES = { shop: SHOP, people: PEOPLE, data: DATA, hooks: HOOKS };
const ALL = Object.values(THEMES).flat();

interface Side {
  api: Api;
  vendor: VendorOfPrograms;
  /** Runs of each job, once all have ended. */
  runs: Map<string, RunDetail[]>;
}
const servers: TestServer[] = [];
const sides = new Map<Mounting, Side>();

async function begin(api: Api, { job, starts = [] }: Expected): Promise<void> {
  for (const start of starts) {
    if ("test" in start) await api.post(api.at(`/jobs/${job}/test`), { payload: start.test });
    else if ("event" in start) {
      const { options, ...more } = start.more ?? {};
      await api.post("/api/v1/events", { event: { name: start.event, payload: start.payload ?? {}, ...more }, options });
    } else {
      const url = (await api.endpointUrl(start.endpoint)) + (start.query ?? "");
      expect((await fetch(url, { method: "POST", headers: start.headers ?? {}, body: start.body })).status).toBe(200);
    }
  }
}

/** Pays the second invoice as often as it takes: it may not be waited for yet. */
async function pay(api: Api): Promise<void> {
  const paid = async () => {
    await api.send({ name: "shop.invoice.paid", payload: { invoice: "i2" } });
    const runs = await Promise.all((await api.runsOf("dun-invoice")).map(({ id }) => api.run(id)));
    return runs.some(({ output }) => (output as { paid?: unknown } | null)?.paid === "i2");
  };
  await until(paid, { ...PATIENT, everyMs: 500, what: () => "an invoice to be paid" });
}

async function startSide(mounting: Mounting, server: TestServer, environment: "dev" | "prod"): Promise<void> {
  const key = environment === "dev" ? DEV_KEY : PROD_KEY;
  const api = new Api(server.url, key, environment);
  const vendor = await VendorOfPrograms.start();
  const env = { ...server.appEnv, TRIGGER_API_KEY: key, VENDOR_URL: vendor.url };
  // The first one exports the client.
  await startCopiedApp({ mounting, files: FILES.map((name) => `tests/published/${name}.ts`), env });
  await api.knowsJob("pick-by-context");
  sides.set(mounting, { api, vendor, runs: new Map() });
  await Promise.all([...ALL.map((expected) => begin(api, expected)), pay(api)]);
}

const endOf = ({ status, output, errorDetail }: RunDetail): unknown => {
  if (status === "SUCCESS") return output;
  return status === "FAILURE" ? errorDetail?.message : status;
};
const matched = (end: unknown, expected: unknown): boolean =>
  expected instanceof RegExp ? expected.test(String(end)) : JSON.stringify(end) === JSON.stringify(expected);

beforeAll(async () => {
  // A server has two environments, and there are three sides.
  const start = async () => servers[servers.push(await TestServer.start()) - 1] as TestServer;
  const [one, other] = await Promise.all([start(), start()]);
  await Promise.all([
    startSide("published", one, "dev"),
    startSide("ours", one, "prod"),
    startSide("ours-by-push", other, "dev"),
  ]);
}, 120_000);
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await cleanUp();
  removeCopiedApps();
  for (const { vendor } of sides.values()) vendor.stop();
});

describe.each<Mounting>(["published", "ours", "ours-by-push"])("programs, SDK %s", (mounting) => {
  const all = Object.entries(THEMES).flatMap(([theme, programs]) => programs.map((program) => ({ theme, ...program })));

  test.each(all)("$theme: $job", LONG, async ({ job, ends }) => {
    const side = sides.get(mounting) as Side;
    const settled = ends.length > 0 ? await side.api.settled(job, ends.length, PATIENT) : [];
    const runs = await Promise.all(settled.map(({ id }) => side.api.run(id)));
    side.runs.set(job, runs);
    const seen = runs.map(endOf);
    expect(await side.api.runsOf(job)).toHaveLength(ends.length);
    for (const expected of ends) {
      const at = seen.findIndex((end) => matched(end, expected));
      expect(at, `${String(JSON.stringify(expected) ?? expected)} in ${JSON.stringify(seen)}`).toBeGreaterThanOrEqual(0);
      seen.splice(at, 1);
    }
  });
});

describe.each<Mounting>(["ours", "ours-by-push"])("SDK %s and the published one", (mounting) => {
  /** What differs from one environment, machine or moment to the other. */
  const alike = (text: string): string =>
    steady(text)
      .replace(/"environment":\{[^}]*\}|"(?:date|stack)":"(?:[^"\\]|\\.)*"|"executionDurationInMs":\d+/g, '"":0')
      // Shown only of a task that was seen to wait.
      .replace(/,?\{"label":"Callback URL"[^}]*\}/, "")
      .replace(/127\.0\.0\.1:\d+/g, "HOST")
      .replace(/("name":"(?:First|Second)".*?"output":)"[AB]"/, '$1"…"');
  /** Ours names the run in it; v2's has links into its dashboard. */
  const invoking = (task: TaskView): TaskView =>
    /^(Manually|Batch) Invoke/.test(task.name) ? { ...task, icon: null, properties: [] } : task;
  /** What a job's runs show, whichever order they came in. */
  const told = async ({ api, runs }: Side, job: string): Promise<unknown[]> => {
    const one = async (run: RunDetail) => {
      const tasks = (await api.tasks(run.id)).map((task) => alike(JSON.stringify(shown(invoking(task)))));
      return `{"end":${alike(JSON.stringify(endOf(run)))},"tasks":[${tasks.sort().join()}]}`;
    };
    return (await Promise.all((runs.get(job) ?? []).map(one))).sort().map((text) => JSON.parse(text));
  };

  test.each(ALL.map(({ job }) => job))("show the same of %s", LONG, async (job) => {
    const [published, ours] = [sides.get("published") as Side, sides.get(mounting) as Side];
    expect(await told(ours, job)).toEqual(await told(published, job));
  });
});

test.each<Mounting>(["published", "ours", "ours-by-push"])("SDK %s is told how runs ended", LONG, async (mounting) => {
  const { vendor } = sides.get(mounting) as Side;
  const heard = () => Object.keys(vendor.told).length === 2;
  await until(heard, { ...PATIENT, what: () => "the ends of both deploys" });
  expect(vendor.told).toEqual({
    "deployed-abc": { output: { commit: "abc", url: "https://abc.example" }, of: "deploy" },
    "not-deployed": { of: "deploy", status: "FAILURE", payload: { commit: "bad", breaks: true } },
  });
});
