import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endpoint, endpointJob, eventJob, type Fixture, startFixture } from "./fixture.test.mts";
import { openApiDocument } from "./openapi.ts";
import { IN_ENVIRONMENT, type Route } from "./route.ts";
import { allRoutes } from "./routes/all.ts";
import { runTokenFor } from "./run-token.test.mts";

/** The table alone: handlers are never called through it here. */
const routes = allRoutes({} as Parameters<typeof allRoutes>[0]);

/** A body each route accepts, so that a refusal is about whose the id is. */
const BODIES: Record<string, object> = {
  openTask: { idempotencyKey: "k" },
  failTask: { error: { message: "no" } },
  reportTasks: { items: [] },
  setEndpointSecret: { preset: "svix", secret: `whsec_${"A".repeat(32)}` },
  sendSample: { sample: "user.created" },
  login: { password: "x" },
  registerTrigger: {
    rule: { event: "opened", source: "vendor" },
    source: { version: "2", channel: "HTTP", key: "k", params: {}, options: {} },
  },
  updateSource: { key: "k", options: {} },
  updateWebhook: { key: "k", active: false },
  registerSchedule: { id: "nightly", type: "cron", options: { cron: "0 0 * * *" } },
};

let server: Fixture;
let ids: Record<string, string>;
beforeAll(async () => {
  server = await startFixture();
  const { dev, prod } = server.environments;
  const app = await server.index("only-dev", dev, {
    dynamicSchedules: [{ id: "schedule-of-dev", jobs: [] }],
    jobs: [eventJob("job-of-dev", "thing.happened"), endpointJob("hook-of-dev", "clerk.com")],
    httpEndpoints: [endpoint("clerk.com")],
    holdfast: { sdk: "0" },
  });
  await server.index("only-prod", prod, { jobs: [eventJob("job-of-prod", "thing.happened")] });
  const body = { event: { id: "event-of-dev", name: "thing.happened", payload: { secret: "of-dev" } } };
  const first = await server.api("/api/v1/events", { method: "POST", body });
  expect(first.status, first.text).toBe(200);
  const run = (await server.api("/api/v2/events/event-of-dev")).json().runs[0].id as string;
  const task = await server.api(`/api/v1/runs/${run}/tasks`, {
    method: "POST",
    body: { idempotencyKey: "k" },
    headers: { "idempotency-key": "k" },
  });
  const sent = await fetch(server.at(dev, "clerk.com"), { method: "POST", body: "{}" });
  ids = {
    run,
    event: "event-of-dev",
    task: task.json().id,
    token: await runTokenFor(server, run),
    delivery: sent.headers.get("x-holdfast-delivery") ?? "",
    app: app.id,
    endpoint: "clerk.com",
    job: "job-of-dev",
  };
});
afterAll(() => server.stop());

/** The id of the path's `:id`, by what stands before it. */
function idFor(path: string): string {
  const kind = /\/(runs|events|jobs|deliveries|endpoints|apps|endpointindex)\/:id/.exec(path)?.[1] ?? "";
  const byKind: Record<string, string | undefined> = {
    runs: ids.run,
    events: ids.event,
    jobs: ids.job,
    deliveries: ids.delivery,
    endpoints: path.includes("environments") ? ids.endpoint : "only-dev",
    apps: ids.app,
    endpointindex: ids.app,
  };
  const id = byKind[kind];
  if (!id) throw new Error(`no id of another environment for ${path}: add its kind to this test`);
  return id;
}

function pathOf(route: Route, environment: string): string {
  const path = route.path
    .replace(":environment", environment)
    .replace(":taskId", ids.task ?? "")
    .replace(":token", ids.token ?? "")
    .replace(":clientId", "only-dev")
    .replace(":scheduleId", "schedule-of-dev")
    .replace(":key", "nightly");
  return path.includes(":id") ? path.replace(":id", idFor(route.path)) : path;
}

const call = (route: Route, environment: string, key: string) =>
  server.api(pathOf(route, environment), {
    method: route.method,
    key,
    headers: { "idempotency-key": "k" },
    ...(route.method === "GET" ? {} : { body: BODIES[route.name] ?? {} }),
  });

/** Routes that take an id or name an environment; the catalogue belongs to nobody. */
const scoped = routes.filter(({ path, tag }) => path.includes(":") && tag !== "system" && !path.includes("/catalogue/"));
/** What routes answer that take any job's id: a job's runs, of which another environment has none. */
const NOTHING: Record<string, object> = {
  listRunsOfJob: { runs: [] },
  cancelRunsOfJob: { cancelledRunIds: [], failedToCancelRunIds: [] },
};
/** Its keys belong to whoever sets them: v2-store.test.ts holds environments apart. */
const KEPT_VALUES = "/api/v1/store/:key";
/** So do integrations: connections.test.ts holds environments apart. */
const INTEGRATION = ":integration";
const byId = scoped.filter(({ path }) => /:(?!environment)/.test(path) && path !== KEPT_VALUES && !path.includes(INTEGRATION));

describe("an id of another environment", () => {
  it.each(byId.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "does not exist for %s",
    async (_name, route) => {
      const answer = await call(route, "prod", server.keys.prod.secretKey);
      if (route.access === "person") return expect(answer.status).toBe(403);
      if (NOTHING[route.name]) expect(answer.json()).toEqual(NOTHING[route.name]);
      else expect([answer.status, answer.json().code]).toEqual([404, "NOT_FOUND"]);
      expect(answer.text).not.toContain('of-dev"');
    },
  );

  it.each(byId.filter(({ access }) => access === "anyKey").map((route) => [`${route.method} ${route.path}`, route] as const))(
    "does not exist for the public key either: %s",
    async (_name, route) => {
      expect((await call(route, "prod", server.keys.prod.publicKey)).status).toBe(404);
    },
  );
});

describe("an environment that is not the key's", () => {
  // The address of a hook is its secret, and no key opens it.
  const inEnvironment = scoped.filter(({ path }) => path.startsWith(IN_ENVIRONMENT));

  it.each(inEnvironment.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "does not exist for %s",
    async (_name, route) => {
      const answer = await call(route, "dev", server.keys.prod.secretKey);
      expect([answer.status, answer.json().code]).toEqual(route.access === "person" ? [403, "FORBIDDEN"] : [404, "NOT_FOUND"]);
    },
  );

  it.each(inEnvironment.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "is closed to keys that are none: %s",
    async (_name, route) => {
      expect((await call(route, "dev", "tr_dev_0000")).status).toBe(401);
    },
  );
});

describe("the right key", () => {
  /** Streams do not end by themselves: tests/react.test.ts reads them. */
  const ends = ({ path }: Route) => !path.endsWith("/stream");
  it.each(
    byId
      .filter((route) => route.method === "GET" && ends(route) && route.access !== "open")
      .map((route) => [`${route.method} ${route.path}`, route] as const),
  )("finds it: %s", async (_name, route) => {
    expect((await call(route, "dev", server.keys.dev.secretKey)).status).toBe(200);
  });
});

describe("the document", () => {
  it("describes every route, and only routes", async () => {
    const served = (await server.api("/openapi.json")).json() as ReturnType<typeof openApiDocument>;
    const described = Object.entries(served.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const table = routes.map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:([a-zA-Z]+)/g, "{$1}")}`);
    expect(described.sort()).toEqual(table.sort());
    const names = routes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("has a route behind each path: none falls through to the dashboard", async () => {
    for (const route of routes) {
      const answer = await fetch(server.url + route.path.replace(/:[a-zA-Z]+/g, "x"), { method: "PATCH" });
      expect([route.path, answer.status]).toEqual([route.path, 405]);
    }
  });

  it("gives bodies as JSON schema", () => {
    const document = openApiDocument(routes, "1");
    expect(document.paths["/api/v1/events"]?.post).toMatchObject({
      operationId: "sendEvent",
      requestBody: { content: { "application/json": { schema: { type: "object", required: ["event"] } } } },
    });
  });
});

it("nothing failed unexpectedly", () => expect(server.errors).toEqual([]));
