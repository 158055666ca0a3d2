// Apps in the style of v2 as their frameworks build them for production: Next.js with both routers and both bundlers, also with its jobs in a package of their own,
// in the lines v2's users stayed on, SvelteKit, Astro and Remix. Each runs on the published packages and, turned over by `holdfast migrate`, on ours: its jobs come to the same, in the same tasks.
import { createHmac } from "node:crypto";
import type { AppInfo, RunDetail, TaskView } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuiltApp, demandFrameworks, type Recipe, removeBuiltApps, type Sdk, startBuiltApp } from "./harness/built-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { shown, steady } from "./harness/shown.ts";
import { until } from "./harness/until.ts";

const LONG = { timeout: 120_000 };
const PATIENT = { withinMs: 60_000, everyMs: 100 };
const SECRET = "hush";
const SDKS = ["published", "ours"] as const;

type Start =
  /** Sent by the app itself, from a route of its own. */
  | { name: string; payload: unknown }
  /** A request at one of its endpoints. */
  | { endpoint: string; body: string; headers: Record<string, string> };

interface Program extends Recipe {
  title: string;
  /** Both, unless v2's cannot be built so. */
  sdks?: readonly Sdk[];
  starts: readonly Start[];
  /** Of each job what its runs come to, in any order. */
  ends: Record<string, readonly unknown[]>;
}

const NEXT = "npm:next/dist/bin/next";
const sign = (body: string) => createHmac("sha256", SECRET).update(body).digest("hex");
const PUPIL = { name: "Ada", courses: ["sums", "alchemy", "loops"] };
const transfer = '{"cents": 18000, "from": "Zoë"}';
/** One app for the lines v2's users stayed on: both routers in it, its older half as a client of its own. */
const BOTH_ROUTERS = {
  app: "next-both-routers",
  mounts: { "academy-billing": "/api/billing" },
  env: { BANK_SECRET: SECRET },
  build: [NEXT, "build"],
  start: [NEXT, "start"],
  starts: [
    { name: "pupil.enrolled", payload: PUPIL },
    { name: "pupil.enrolled", payload: { ...PUPIL, courses: "sums" } },
    {
      endpoint: "bank",
      body: transfer,
      headers: { "content-type": "application/json", "x-signature": sign(transfer) },
    },
  ],
  ends: {
    "enrol-pupil": [{ seats: ["sums for Ada", "loops for Ada"], dice: "number" }, "INVALID_PAYLOAD"],
    "send-bill": ["Ada: 180 €"],
    "book-transfer": [{ cents: 18000, bytes: Buffer.byteLength(transfer) }],
  },
};
const declared = '{"ship": "Beagle", "holds": ["fore", "aft"]}';
/** v2's SDK imports `node:crypto` and `node:process`, which bundles for the edge refuse. */
const EDGE = {
  app: "next-edge",
  sdks: ["ours"] as const,
  env: { CUSTOMS_SECRET: SECRET },
  build: [NEXT, "build"],
  start: [NEXT, "start"],
  starts: [
    {
      endpoint: "customs",
      body: declared,
      headers: { "x-signature": createHmac("sha256", SECRET).update(declared).digest("base64") },
    },
    { name: "ship.cleared", payload: { ship: "Fram" } },
  ],
  ends: {
    "clear-ship": [{ seen: ["Beagle/fore", "Beagle/aft"] }],
    "moor-ship": [
      { ship: "Beagle", berth: 2, runtime: "edge-runtime" },
      { ship: "Fram", berth: 2, runtime: "edge-runtime" },
    ],
  },
};
const payment = '{ "type" : "payment.succeeded",\n"order": "ö-1", "cents": 900.0 }';

const PROGRAMS: readonly Program[] = [
  {
    title: "Next.js, app router, Turbopack",
    app: "next-app",
    build: [NEXT, "build"],
    start: [NEXT, "start"],
    starts: [
      { name: "subscriber.created", payload: { email: "ada@example.com", name: "Ada" } },
      { name: "subscriber.created", payload: { email: "nobody", name: "Nobody" } },
      { name: "digest.due", payload: { articles: ["Whales are large", "Ants are not"] } },
    ],
    ends: {
      "welcome-subscriber": [
        { list: "weekly", mail: { subject: "Welcome, Ada", attempts: 2 }, job: "welcome-subscriber" },
        "INVALID_PAYLOAD",
      ],
      "send-digest": [{ lines: ["Whales are", "Ants are"] }],
      "shorten-article": ["Whales are", "Ants are"],
    },
  },
  {
    title: "Next.js, pages router, webpack",
    app: "next-pages",
    build: [NEXT, "build", "--webpack"],
    start: [NEXT, "start"],
    env: { PAYMENTS_SECRET: SECRET },
    starts: [
      {
        endpoint: "payments",
        body: payment,
        headers: { "content-type": "application/json", "x-signature": sign(payment) },
      },
      { name: "order.paid", payload: { order: "o-2" } },
    ],
    ends: {
      "take-payment": [{ order: "ö-1", bytes: Buffer.byteLength(payment) }],
      "ship-order": [
        { order: "ö-1", parcels: ["1: mug", "2: pen"] },
        { order: "o-2", parcels: ["1: mug", "2: pen"] },
      ],
    },
  },
  {
    title: "Next.js, jobs in their own package",
    app: "next-workspaces",
    at: "web",
    workspaces: { "@shop/jobs": "packages/jobs" },
    build: [NEXT, "build"],
    start: [NEXT, "start"],
    starts: [
      {
        name: "order.placed",
        payload: {
          id: "o-3",
          lines: [
            { sku: "mug", count: 3 },
            { sku: "pen", count: 1 },
          ],
        },
      },
    ],
    ends: {
      "place-order": [{ reserved: ["mug: 1 left", "pen: FAILURE"], parcel: "parcel-o-3" }],
      "reserve-stock": [{ sku: "mug", left: 1 }, "Not enough of pen"],
    },
  },
  { title: "Next.js 14, both routers", install: "next-14", ...BOTH_ROUTERS },
  { title: "Next.js, edge runtime, Turbopack", ...EDGE },
  { title: "Next.js 14, edge runtime, webpack", install: "next-14", ...EDGE },
  {
    title: "Hono on Cloudflare",
    app: "hono-worker",
    install: "cloudflare",
    sdks: ["ours"],
    env: { HARBOUR_TOKEN: SECRET },
    build: ["build.mjs"],
    start: ["serve.mjs"],
    starts: [
      { endpoint: "harbour", body: "Beagle", headers: { "x-token": SECRET } },
      { name: "ship.answered", payload: { name: "Fram" } },
    ],
    ends: {
      "answer-ship": [{ name: "Beagle", answer: "flash 6" }],
      flash: ["flash 6"],
      "keep-log": ["Beagle", "Fram"].map((name) => ({
        lines: [`${name} seen`, `${name} answered`],
        runtime: "Cloudflare-Workers",
      })),
    },
  },
  {
    title: "SvelteKit",
    app: "sveltekit",
    build: ["npm:vite/bin/vite.js", "build"],
    start: ["build"],
    starts: [
      { name: "ticket.opened", payload: { ticket: 1, words: "It burns, come now" } },
      { name: "ticket.opened", payload: { ticket: 2, words: "Good morning" } },
    ],
    ends: {
      "assign-ticket": [
        { ticket: 1, to: "Grace" },
        { ticket: 2, later: true },
      ],
    },
  },
  {
    title: "Astro",
    app: "astro",
    build: ["npm:astro/astro.js", "build"],
    start: ["dist/server/entry.mjs"],
    starts: [
      {
        endpoint: "guestbook",
        body: JSON.stringify({ text: "Nice place, says Ada" }),
        headers: { "content-type": "application/json", "x-token": SECRET },
      },
      { name: "comment.moderated", payload: { text: "By hand", score: 1 } },
    ],
    ends: {
      "moderate-comment": [{ score: 20, published: true }],
      "count-comments": [
        { words: 4, score: 20 },
        { words: 2, score: 1 },
      ],
    },
  },
  {
    title: "Remix",
    app: "remix",
    build: ["npm:@remix-run/dev/dist/cli.js", "build"],
    start: ["npm:@remix-run/serve/dist/cli.js", "build/index.js"],
    starts: [{ name: "course.began", payload: { pupil: "Ada", lessons: ["sums", "loops"] } }],
    ends: { "run-course": [{ sent: ["sums to Ada", "loops to Ada"] }] },
  },
  {
    title: "React Router 7",
    app: "react-router",
    install: "react-router-7",
    build: ["npm:@react-router/dev/bin.js", "build"],
    start: ["npm:@react-router/serve/bin.js", "build/server/index.js"],
    starts: [{ name: "term.planned", payload: { classes: ["clay", "choir"] } }],
    ends: { "open-term": [{ rooms: ["clay in room 1", "choir in room 2"], saved: 2 }] },
  },
];

let server: TestServer;
beforeAll(async () => {
  demandFrameworks();
  server = await TestServer.start();
}, 90_000);
afterAll(async () => {
  await server?.stop();
  await cleanUp();
  removeBuiltApps();
});

const endOf = ({ status, output, errorDetail }: RunDetail): unknown => {
  if (status === "SUCCESS") return output;
  return status === "FAILURE" ? errorDetail?.message : status;
};

async function begin({ url, api }: BuiltApp, start: Start): Promise<void> {
  const [at, body, headers] =
    "endpoint" in start
      ? [await api.endpointUrl(start.endpoint), start.body, start.headers]
      : [`${url}/api/events`, JSON.stringify(start), { "content-type": "application/json" }];
  expect((await fetch(at, { method: "POST", headers, body })).status).toBe(200);
}

/** What differs from one environment or moment to the other. */
const alike = (text: string): string =>
  steady(text).replace(/"environment":\{[^}]*\}|"(?:date|stack|added)":"(?:[^"\\]|\\.)*"|"executionDurationInMs":\d+/g, '"":0');
/** Ours names the run in it; v2's has links into its dashboard. */
const invoking = (task: TaskView): TaskView =>
  /^(Manually|Batch) Invoke/.test(task.name) ? { ...task, icon: null, properties: [] } : task;

describe.each(PROGRAMS)("$title", (program) => {
  const apps = new Map<Sdk, BuiltApp>();
  const runs = new Map<Sdk, RunDetail[]>();
  const appOf = (sdk: Sdk) => apps.get(sdk) as BuiltApp;
  const { sdks = SDKS } = program;
  let own: TestServer | undefined;

  beforeAll(async () => {
    // Two programs of one app have the same jobs.
    own = program.install ? await TestServer.start() : undefined;
    const start = async (sdk: Sdk) => {
      const app = await startBuiltApp(program, sdk, own ?? server);
      apps.set(sdk, app);
      await Promise.all(program.starts.map((each) => begin(app, each)));
    };
    await Promise.all(sdks.map(start));
  }, 300_000);
  afterAll(async () => {
    await Promise.all([...apps.values()].map((app) => app.stop()));
    await own?.stop();
  });

  test.each(sdks)("is built, registers and runs its jobs, SDK %s", LONG, async (sdk) => {
    const { api } = appOf(sdk);
    for (const [job, ends] of Object.entries(program.ends)) {
      const settled = await api.settled(job, ends.length, PATIENT);
      const details = await Promise.all(settled.map(({ id }) => api.run(id)));
      runs.set(sdk, [...(runs.get(sdk) ?? []), ...details]);
      const seen = details.map((run) => JSON.stringify(endOf(run)));
      expect(seen.sort()).toEqual(ends.map((end) => JSON.stringify(end)).sort());
    }
  });

  const both = sdks.length > 1;
  const sameTasks = async () => {
    const told = async (sdk: Sdk) => {
      const one = async (run: RunDetail) => {
        const tasks = (await appOf(sdk).api.tasks(run.id)).map((task) => alike(JSON.stringify(shown(invoking(task)))));
        return { job: run.job, end: endOf(run), tasks: tasks.sort().map((text) => JSON.parse(text)) };
      };
      const all = await Promise.all((runs.get(sdk) ?? []).map(one));
      return all.map((run) => JSON.stringify(run)).sort();
    };
    const [published, ours] = [await told("published"), await told("ours")];
    expect(ours.map((text) => JSON.parse(text))).toEqual(published.map((text) => JSON.parse(text)));
  };
  if (both) test("shows the same tasks on both SDKs", LONG, sameTasks);

  // Of the others tests/frameworks-init.test.ts shows it.
  const dialsOut = async () => {
    const app = appOf("ours");
    const { api, url } = app;
    await app.restart({ HOLDFAST_DEV_CONNECT: "1", HOLDFAST_API_URL: (own ?? server).url });
    await fetch(`${url}/api/trigger`);
    const transports = async () => (await api.get<AppInfo[]>(api.at("/apps"))).map(({ transport }) => transport);
    await until(async () => (await transports()).includes("connect"), { what: () => "the app to connect" });
  };
  if (both && program.install) test("dials out of the bundle, SDK ours", LONG, dialsOut);
});
