// The command line as a script sees it: stdout, stderr and exit codes, against a fake API.
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { run } from "./program.ts";
import { writeServerFile } from "./settings/server-file.ts";
import { type Answers, type FakeApi, fakeApi, Refusal } from "./testing/fake-api.ts";
import { type TestWorld, type TestWorldOptions, testWorld } from "./testing/test-world.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function world(options: TestWorldOptions = {}): TestWorld {
  const made = testWorld(options);
  undo.push(made.remove);
  return made;
}
async function api(answers: Answers): Promise<FakeApi> {
  const made = await fakeApi(answers);
  undo.push(made.close);
  return made;
}
/** A world that finds the API by its server.json. */
async function connected(answers: Answers, options: TestWorldOptions = {}) {
  const here = world(options);
  const server = await api(answers);
  writeServerFile(join(here.cwd, ".holdfast"), { url: server.url, pid: process.pid, key: "tr_dev_fromfile" });
  return { here, server };
}
const ENV = "/api/v1/environments/dev";
const summary = (id: string, more: object = {}) => ({
  id,
  job: "hello",
  jobName: "Hello",
  version: "1.0.0",
  environment: "dev",
  status: "SUCCESS",
  isTest: false,
  eventName: "hello",
  createdAt: "2026-01-01T10:00:00.000Z",
  startedAt: "2026-01-01T10:00:01.000Z",
  completedAt: "2026-01-01T10:00:02.500Z",
  executionMs: 12,
  executions: 1,
  error: null,
  ...more,
});
const task = (id: string, more: object = {}) => ({
  ...{
    id,
    parentId: null,
    name: id,
    key: id,
    idempotencyKey: `k${id}`,
    status: "COMPLETED",
    noop: false,
    attempts: 1,
    icon: null,
  },
  ...{ description: null, properties: [], style: null, error: null, failures: [], delayUntil: null },
  ...{ startedAt: "2026-01-01T10:00:01.000Z", completedAt: "2026-01-01T10:00:01.200Z", ...more },
});

describe("usage", () => {
  test("help and version go to stdout and end well", async () => {
    const here = world();
    expect(await run(["--help"], here)).toBe(0);
    expect(here.printed.out).toContain("Exit codes: 0 ok, 1 failed, 2 usage");
    expect(await run(["--version"], here)).toBe(0);
    expect(here.printed.out).toMatch(/\d+\.\d+\.\d+\n$/);
  });
  test.each([
    [["frobnicate"], "unknown command"],
    [["runs", "list", "--nope"], "unknown option"],
    [["runs", "get"], "missing required argument"],
    [["endpoints", "send", "x"], "required option"],
    [["runs", "list", "--limit", "0"], "--limit takes a whole number"],
    [["runs", "list", "--status", "HAPPY"], "no status of a run"],
    [["deliveries", "list", "--verdict", "odd"], "no verdict"],
    [["send", "e", "--payload", "{"], "--payload is not JSON"],
    [["send", "e", "--payload", "@missing.json"], "cannot be read"],
    [["endpoints", "send", "x", "--sample", "s", "--stale", "--tamper"], "exclude each other"],
    [["runs", "list", "--url", "localhost:1"], "no address of a server"],
    [["dev", "missing.ts"], "There is no file"],
    [["dev", "--host", "0.0.0.0"], "this machine only"],
  ])("%j is a usage error", async (words, message) => {
    const { here } = await connected({});
    expect(await run(words, here)).toBe(2);
    expect(here.printed.err).toContain(message);
    expect(here.printed.out).toBe("");
  });
});

test.each([
  [["frobnicate", "--json"], "unknown command 'frobnicate'"],
  [["runs", "list", "--nope", "--json"], "unknown option '--nope'"],
  [["endpoints", "send", "x", "--json"], "required option '--sample <name>' not specified"],
  [["--json"], "unknown option '--json'"],
  [["runs", "--json"], "unknown option '--json'"],
])("with --json, %j is one line of JSON on stderr", async (words, message) => {
  const here = world();
  expect(await run(words, here)).toBe(2);
  expect(JSON.parse(here.printed.err)).toEqual({
    error: { code: "USAGE", message: expect.stringContaining(message), hint: "See --help." },
  });
  expect([here.printed.out, here.printed.err.split("\n").length]).toEqual(["", 2]);
});

describe("finding the server", () => {
  const answers: Answers = { [`GET ${ENV}/runs`]: { items: [] }, "GET /api/v1/environments/prod/runs": { items: [] } };
  const asked = (server: FakeApi) => ({ path: server.asked[0]?.path.split("?")[0], key: server.asked[0]?.headers.authorization });

  test("server.json, then the environment, then flags", async () => {
    const file = await connected(answers);
    expect(await run(["runs", "list"], file.here)).toBe(0);
    expect(asked(file.server)).toEqual({ path: `${ENV}/runs`, key: "Bearer tr_dev_fromfile" });

    const byEnv = await api(answers);
    const here = world({ env: { HOLDFAST_API_URL: `${byEnv.url}/`, HOLDFAST_API_KEY: "tr_prod_fromenv" } });
    writeServerFile(join(here.cwd, ".holdfast"), { url: file.server.url, pid: 1, key: "tr_dev_fromfile" });
    expect(await run(["runs", "list"], here)).toBe(0);
    expect(asked(byEnv), "the key says which environment").toEqual({
      path: "/api/v1/environments/prod/runs",
      key: "Bearer tr_prod_fromenv",
    });

    const byFlag = await api(answers);
    expect(await run(["runs", "list", "--url", byFlag.url, "--token", "tr_prod_flag", "--env", "dev"], here)).toBe(0);
    expect(asked(byFlag)).toEqual({ path: `${ENV}/runs`, key: "Bearer tr_prod_flag" });
  });

  test("the key of server.json is given to no other server", async () => {
    const { here } = await connected(answers);
    const other = await api(answers);
    expect(await run(["runs", "list", "--url", other.url], here)).toBe(0);
    expect(asked(other).key).toBeUndefined();
  });

  test("--data-dir says where server.json is; it is readable by its owner only", async () => {
    const here = world();
    const server = await api(answers);
    writeServerFile(join(here.cwd, "elsewhere"), { url: server.url, pid: 1, key: "tr_dev_k" });
    expect(statSync(join(here.cwd, "elsewhere", "server.json")).mode & 0o777).toBe(0o600);
    expect(await run(["runs", "list", "--data-dir", "elsewhere"], here)).toBe(0);
  });

  test("none known, or a broken file: 5, with what to do", async () => {
    const here = world();
    expect(await run(["runs", "list"], here)).toBe(5);
    mkdirSync(join(here.cwd, ".holdfast"));
    writeFileSync(join(here.cwd, ".holdfast", "server.json"), "{");
    expect(await run(["runs", "list", "--json"], here)).toBe(5);
    const last = here.printed.err.trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({
      error: { code: "SERVER_UNREACHABLE", hint: expect.stringContaining("holdfast dev") },
    });
    expect(here.printed.out).toBe("");
  });

  test("nobody answers, or somebody else does: 5", async () => {
    const gone = await api({});
    await gone.close();
    const here = world();
    expect(await run(["runs", "list", "--url", gone.url], here)).toBe(5);
    expect(here.printed.err).toContain("ECONNREFUSED");
    const other = await api({ [`GET ${ENV}/runs`]: "<html>" });
    expect(await run(["runs", "list", "--url", other.url], here)).toBe(5);
    expect(here.printed.err).toContain("not a Holdfast server");
  });
});

test.each([
  [400, "BAD_REQUEST", 1],
  [401, "UNAUTHORIZED", 4],
  [403, "FORBIDDEN", 4],
  [404, "NOT_FOUND", 3],
  [409, "CONFLICT", 1],
  [500, undefined, 1],
  [502, "APP_UNREACHABLE", 6],
  [503, undefined, 1],
])("a %i answer ends with the right exit code and the server's words", async (status, code, exit) => {
  const { here } = await connected({
    [`GET ${ENV}/runs/r`]: new Refusal(status, { message: "It is so.", code, hint: "Do this." }),
  });
  expect(await run(["runs", "get", "r"], here)).toBe(exit);
  expect(here.printed.err).toMatch(/It is so\. \[[A-Z_]+\]\n {2}Do this\.\n/);
});

describe("runs", () => {
  test("list --json has exactly the promised shape, newest first, over pages", async () => {
    const pages = (call: { path: string }) =>
      call.path.includes("cursor=two")
        ? { items: [summary("run_1")] }
        : { items: [summary("run_3"), summary("run_2")], nextCursor: "two" };
    const { here, server } = await connected({ [`GET ${ENV}/runs`]: pages });
    expect(await run(["runs", "list", "--json", "--job", "hello", "--status", "success", "FAILURE", "--limit", "3"], here)).toBe(
      0,
    );
    const rows = JSON.parse(here.printed.out);
    expect(rows.map((row: { id: string }) => row.id)).toEqual(["run_3", "run_2", "run_1"]);
    expect(Object.keys(rows[0])).toEqual(["id", "job", "status", "createdAt", "startedAt", "completedAt"]);
    expect(here.printed.err).toBe("");
    expect(server.asked[0]?.path).toBe(`${ENV}/runs?job=hello&status=SUCCESS&status=FAILURE&limit=3`);
    expect(server.asked[1]?.path).toContain("limit=1&cursor=two");
  });

  test("list for a person; nothing is an empty stdout and an empty array", async () => {
    const { here } = await connected({ [`GET ${ENV}/runs`]: { items: [summary("run_1", { error: "broke\nbadly" })] } });
    await run(["runs", "list"], here);
    expect(here.printed.out).toMatch(
      /^RUN +JOB +STATUS +CREATED +TOOK +ERROR\nrun_1 +hello +SUCCESS +2026-01-01T10:00:00.000Z +1.5 s +broke badly\n$/,
    );
    const empty = await connected({ [`GET ${ENV}/runs`]: { items: [] } });
    await run(["runs", "list"], empty.here);
    expect(empty.here.printed).toEqual({ out: "", err: "No runs match.\n" });
    const json = await connected({ [`GET ${ENV}/runs`]: { items: [] } });
    await run(["runs", "list", "--json"], json.here);
    expect(JSON.parse(json.here.printed.out)).toEqual([]);
  });

  const detail = {
    ...summary("run_1", { status: "FAILURE", error: "broke" }),
    updatedAt: "2026-01-01T10:00:02.500Z",
    resumeAt: null,
    errorDetail: { message: "broke", name: "Error", stack: "Error: broke" },
    event: {
      id: "e1",
      rowId: "evt_1",
      name: "hello",
      source: "s",
      payload: {},
      context: null,
      timestamp: "",
      payloadType: "JSON",
    },
    delivery: null,
    app: { id: "app_1", slug: "a" },
    tasks: {
      items: [
        task("one", { output: { a: 1 } }),
        task("two", { parentId: "one", status: "ERRORED", error: { message: "broke" } }),
      ],
      nextCursor: "more",
    },
  };
  const answers: Answers = { [`GET ${ENV}/runs/run_1`]: detail, [`GET ${ENV}/runs/run_1/tasks`]: { items: [task("three")] } };

  test("get --json adds output, error and every page of tasks", async () => {
    const { here } = await connected(answers);
    expect(await run(["runs", "get", "run_1", "--json"], here)).toBe(0);
    const got = JSON.parse(here.printed.out);
    expect(Object.keys(got)).toEqual([
      "id",
      "job",
      "status",
      "createdAt",
      "startedAt",
      "completedAt",
      "output",
      "error",
      "tasks",
    ]);
    expect(got).toMatchObject({ output: null, error: { message: "broke", name: "Error" } });
    expect(got.tasks.map((each: { id: string }) => each.id)).toEqual(["one", "two", "three"]);
    expect(got.tasks[0]).toEqual({
      ...{ id: "one", parentId: null, name: "one", key: "one", status: "COMPLETED", attempts: 1 },
      ...{ startedAt: "2026-01-01T10:00:01.000Z", completedAt: "2026-01-01T10:00:01.200Z", output: { a: 1 }, error: null },
    });
  });

  test("get for a person shows the tree and the error", async () => {
    const { here } = await connected(answers);
    await run(["runs", "get", "run_1"], here);
    expect(here.printed.out).toContain("status   FAILURE");
    expect(here.printed.out).toMatch(/one +COMPLETED +1 +200 ms +\{"a":1\}\n {2}two +ERRORED +1 +200 ms +broke\n/);
  });

  test("tail prints each change of new runs once, and Ctrl-C ends it well", async () => {
    const { here, server } = await connected({ [`GET ${ENV}/runs`]: { items: [summary("run_1")] } });
    const tail = run(["runs", "tail", "--json"], here);
    await here.until(() => server.asked.length > 0);
    const show = (...items: object[]) => {
      server.answers[`GET ${ENV}/runs`] = { items: [...items, summary("run_1")] };
    };
    const lines = () =>
      here.printed.out
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    show(summary("run_2", { status: "EXECUTING" }));
    await here.until(() => lines().length === 1);
    show(summary("run_3", { status: "QUEUED" }), summary("run_2"));
    await here.until(() => lines().length === 3);
    const before = server.asked.length;
    await here.until(() => server.asked.length > before + 1);
    here.raise("SIGINT");
    expect(await tail).toBe(0);
    expect(lines().map((line) => [line.id, line.status])).toEqual([
      ["run_2", "EXECUTING"],
      ["run_2", "SUCCESS"],
      ["run_3", "QUEUED"],
    ]);
  });
});

describe("send", () => {
  const answers: Answers = {
    "POST /api/v1/events": (call: { body: unknown }) => ({ ...(call.body as { event: object }).event, timestamp: "t" }),
  };
  const sent = (server: FakeApi) => server.asked[0]?.body;

  test("payload as it stands, with an id of its own", async () => {
    const { here, server } = await connected(answers);
    expect(await run(["send", "user.signup", "--payload", '{"n":1}', "--json"], here)).toBe(0);
    expect(sent(server)).toEqual({
      event: { id: `cli-${"07".repeat(12)}`, name: "user.signup", payload: { n: 1 } },
      options: {},
    });
    expect(JSON.parse(here.printed.out)).toMatchObject({ name: "user.signup", timestamp: "t" });
  });
  test("payload from a file or stdin, and every option", async () => {
    const { here, server } = await connected(answers, { stdin: '{"from":"stdin"}' });
    writeFileSync(join(here.cwd, "p.json"), '{"from":"file"}');
    await run(
      ["send", "e", "--payload", "@p.json", "--id", "mine", "--source", "s", "--context", "[1]", "--deliver-after", "60"],
      here,
    );
    expect(sent(server)).toEqual({
      event: { id: "mine", name: "e", payload: { from: "file" }, context: [1], source: "s" },
      options: { deliverAfter: 60 },
    });
    expect(here.printed.out).toBe("e  mine\n");
    await run(["send", "e", "--payload", "-"], here);
    expect(server.asked[1]?.body).toMatchObject({ event: { payload: { from: "stdin" } } });
  });
});

describe("endpoints and deliveries", () => {
  const endpoint = {
    id: "clerk.com",
    rowId: "ep_1",
    title: "Clerk",
    source: "clerk.com",
    url: "http://h/in",
    enabled: true,
    app: "a",
    jobs: [],
  };
  test("url prints the URL alone, or the promised JSON", async () => {
    const { here } = await connected({ [`GET ${ENV}/endpoints/clerk.com`]: endpoint });
    await run(["endpoints", "url", "clerk.com"], here);
    await run(["endpoints", "url", "clerk.com", "--json"], here);
    expect(here.printed.out).toBe(`http://h/in\n${JSON.stringify({ url: "http://h/in", id: "clerk.com" }, null, 2)}\n`);
    expect(await run(["endpoints", "url", "a/b c"], here)).toBe(3);
  });
  test("list", async () => {
    const { here } = await connected({ [`GET ${ENV}/endpoints`]: [endpoint] });
    await run(["endpoints", "list"], here);
    expect(here.printed.out).toContain("clerk.com  Clerk  a    yes      http://h/in");
  });
  test.each([
    [[], "valid"],
    [["--tamper"], "tampered"],
    [["--stale"], "stale"],
    [["--unsigned"], "unsigned"],
    [["--wrong-secret"], "wrong-secret"],
  ])("send %j asks for a %s request", async (flags, forge) => {
    const { here, server } = await connected({
      [`POST ${ENV}/endpoints/clerk.com/send`]: { status: 401, deliveryId: "dlv_1", extra: 1 },
    });
    expect(
      await run(["endpoints", "send", "clerk.com", "--sample", "user.created", "--secret", "whsec_x", "--json", ...flags], here),
    ).toBe(0);
    expect(server.asked[0]?.body).toEqual({ sample: "user.created", forge, secret: "whsec_x" });
    expect(JSON.parse(here.printed.out)).toEqual({ status: 401, deliveryId: "dlv_1" });
  });
  test("deliveries list has exactly the promised shape", async () => {
    const delivery = {
      id: "dlv_1",
      endpoint: null,
      method: "POST",
      path: "/",
      verdict: "refused",
      reason: "No such endpoint.",
      status: 404,
      senderId: null,
      size: 2,
      runs: [],
      receivedAt: "t",
    };
    const { here, server } = await connected({ [`GET ${ENV}/deliveries`]: { items: [delivery] } });
    await run(["deliveries", "list", "--json", "--verdict", "refused", "--endpoint", "x"], here);
    const fields = "id endpoint verdict reason status runs receivedAt";
    expect(Object.keys(JSON.parse(here.printed.out)[0]).join(" ")).toBe(fields);
    expect(server.asked[0]?.path).toContain("endpoint=x&verdict=refused&limit=20");
  });
});
