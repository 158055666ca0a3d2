// A rate limit of the API, as users set it: programs that call too often are told until when to wait; runs go on by themselves, and no step is done twice.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, PROD_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const STEPS = 40;
const LONG = { timeout: 120_000 };

let server: TestServer;
let listener: Server;
/** What jobs told, by the path they told it at. */
const told = new Map<string, { performed: number; steps: number[] }>();

beforeAll(async () => {
  server = await TestServer.start({ env: { HOLDFAST_API_RATE_LIMIT: "20:20" } });
  listener = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    told.set(request.url ?? "", JSON.parse(Buffer.concat(chunks).toString()));
    response.end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
});
afterAll(async () => {
  listener.close();
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

async function ask(path: string, { key = DEV_KEY, body }: { key?: string; body?: unknown } = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return fetch(server.url + path, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers });
}

/** Asks again as often as it takes. */
function insist<T>(path: string, body?: unknown): Promise<T> {
  const once = async () => {
    const answer = await ask(path, { body });
    return answer.status === 429 ? null : ((await answer.json()) as T);
  };
  return until(once, { withinMs: 60_000, what: () => `an answer to ${path}` });
}

test("who asks too often is told until when to wait; another environment is not", async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask("/api/v1/whoami")));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(5);
  const [one] = refused;
  const now = Date.now();
  expect(one?.headers.get("x-ratelimit-limit")).toBe("20");
  expect(one?.headers.get("x-ratelimit-remaining")).toBe("0");
  expect(Number(one?.headers.get("x-ratelimit-reset"))).toBeGreaterThan(now - 1000);
  expect(Number(one?.headers.get("x-ratelimit-reset"))).toBeLessThan(now + 60_000);
  expect(Number(one?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  const said = await one?.json();
  expect(said).toMatchObject({ error: expect.stringMatching(/20 requests a second/), code: "TOO_MANY_REQUESTS" });
  const other = await ask("/api/v1/whoami", { key: PROD_KEY });
  expect([other.status, other.headers.get("x-ratelimit-remaining")]).toEqual([200, "19"]);
});

describe.each<Mounting>(["published", "ours", "ours-by-push"])("a run under a rate limit, SDK %s", (mounting) => {
  test("ends, with every step done once", LONG, async () => {
    const app = await startCopiedApp({ mounting, files: ["tests/published/busy.ts"], env: server.appEnv });
    const tell = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/${mounting}`;
    const known = async () => JSON.stringify(await insist("/api/v1/environments/dev/jobs")).includes('"many-steps"') || null;
    await until(known, { withinMs: 30_000, what: () => "the job" });
    await insist("/api/v1/events", { event: { name: "busy.steps", payload: { steps: STEPS, tell } } });
    const result = await until(() => told.get(`/${mounting}`) ?? null, { withinMs: 90_000, what: () => "the run's end" });
    expect(result.steps).toEqual(Array.from({ length: STEPS }, (_, n) => n));
    expect(result.performed).toBe(STEPS);
    const runs = await insist<{ runs: { id: string }[] }>("/api/v1/jobs/many-steps/runs");
    const run = await until(
      async () => {
        const found = await insist<{ status: string; executions: number }>(`/api/v1/environments/dev/runs/${runs.runs[0]?.id}`);
        return found.status === "SUCCESS" ? found : null;
      },
      { withinMs: 30_000, what: () => "success" },
    );
    // Only the published SDK asks before each step: refused, it ends its execution, and is called again when it may ask.
    if (mounting === "published") expect(run.executions).toBeGreaterThan(1);
    else expect(run.executions).toBe(1);
    await app.stop();
  });
});
