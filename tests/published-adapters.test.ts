// The published v2 adapters and React hooks as clients of our server: whatever framework a v2 user has, its app registers, runs jobs and answers webhooks, and a page
// with the public key sees its runs. One server and one program with an app an adapter.
import { createHmac } from "node:crypto";
import { join } from "node:path";
import type { AppInfo } from "@holdfast/protocol";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, whyNoChromium } from "../packages/dashboard/mock/chromium.ts";
import { type Pages, servePages } from "./harness/pages.ts";
import { cleanUp, ROOT, startProgram } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";

if (whyNoChromium) process.stderr.write(`${whyNoChromium}\n`);

const ADAPTERS = ["express", "next-app", "next-pages", "remix", "astro", "sveltekit", "hono", "hono-env", "nestjs"] as const;
const SECRET = "a secret of the sender";
const PATIENT = { withinMs: 30_000 };

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
  const env = { ...server.appEnv, HOOK_SECRET: SECRET };
  const program = startProgram(["--import", "tsx", join(ROOT, "tests/published/adapters.ts")], { env });
  await program.says(/all registered|refused.*/);
  expect(program.output()).not.toContain("refused");
}, 180_000);
afterAll(async () => {
  await server?.stop();
  await cleanUp();
});

describe("published adapters", () => {
  const send = (url: string, method: string, body: string, secret = SECRET) =>
    fetch(url, {
      method,
      headers: { "content-type": "application/json", "x-signature": createHmac("sha256", secret).update(body).digest("hex") },
      body,
    });

  test("all register, with the SDK's version", async () => {
    const apps: AppInfo[] = await server.api.get(server.api.at("/apps"));
    expect(apps.map(({ slug }) => slug).sort()).toEqual([...ADAPTERS].sort());
    expect(apps.map(({ transport, sdk }) => `${transport} ${sdk}`)).toEqual(ADAPTERS.map(() => "push 2.3.19"));
  });

  test.concurrent.each(ADAPTERS)("%s runs a job of an event, over a wait", async (name) => {
    const run = await server.api.runOnce(`greet-${name}`, { name: `greet.${name}`, payload: { name: "Ada" } }, PATIENT);
    expect(run).toMatchObject({ status: "SUCCESS", output: { greeting: "Hello, Ada", by: name } });
    expect((await server.api.tasks(run.id)).map((task) => task.status)).toEqual(["COMPLETED", "COMPLETED"]);
  });

  test.concurrent.each(ADAPTERS)("%s verifies webhooks by their bytes, and answers those it wants to", async (name) => {
    const url = await server.api.endpointUrl(`hook-${name}`);
    const body = '{ "n" : 1.0,\n"who": "Gr\\u00fc\u00dfe" }';
    expect((await send(url, "POST", body)).status).toBe(200);
    const [run] = await server.api.settled(`hooked-${name}`, 1, PATIENT);
    expect(await server.api.run(run?.id ?? "")).toMatchObject({ status: "SUCCESS", output: { by: name, got: body } });
    const answer = await send(url, "PUT", body);
    // The published NestJS adapter takes bodies from Nest's JSON parser, which leaves alone the plain bytes that v2's server, and ours, hand over here.
    expect([answer.status, await answer.json()]).toEqual([202, { by: name, got: name === "nestjs" ? "{}" : body }]);
    expect(await server.api.runsOf(`hooked-${name}`)).toHaveLength(1);
  });
});

describe.skipIf(whyNoChromium)("@trigger.dev/react in a page", () => {
  let pages: Pages;
  let browser: Browser;
  let publicKey = "";

  beforeAll(async () => {
    [browser, pages] = await Promise.all([launchChromium(), servePages("tests/published/page")]);
    publicKey = (await server.api.call<{ pkApiKey: string }>("GET", "/api/v1/whoami")).pkApiKey;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  const watching = async (event: string, key = publicKey): Promise<{ page: Page; requests: string[] }> => {
    const page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    await page.clock.install();
    const requests: string[] = [];
    page.on("request", (request) => request.url().startsWith(server.url) && requests.push(new URL(request.url()).pathname));
    const query = new URLSearchParams({ key, server: server.url, event });
    await page.goto(`${pages.origin}/?${query}`);
    return { page, requests };
  };

  test("polls a run with the public key: statuses, tasks and output, and stops at the end", { timeout: 60_000 }, async () => {
    const { id } = await server.api.send({ name: "draw", payload: { images: 2 } });
    const { page, requests } = await watching(id);
    const shows = (text: string) => page.getByText(text, { exact: true }).waitFor();
    await shows("WAITING_TO_CONTINUE: Drawing loading 0.5, event's run: WAITING_TO_CONTINUE");
    await server.api.send({ name: "drawn", payload: {} });
    await shows("SUCCESS: Drawn success 1, event's run: SUCCESS");
    await shows("SUCCESS tasks: Drawing, Status update, Wait for Event, Drawn");
    await shows('output: {"images":2}');
    await shows("event: draw, runs: SUCCESS");
    const asked = new Set(requests.map((path) => path.replace(/(run|evt)_\w+/, "ID")));
    expect([...asked].sort()).toEqual(["/api/v2/events/ID", "/api/v2/runs/ID", "/api/v2/runs/ID/statuses"]);
    const before = requests.length;
    // Ten seconds of the page's own clock: at one request a second and hook it would ask thirty times.
    await page.clock.runFor(10_000);
    expect(requests).toHaveLength(before);
    await page.close();
  });

  test("a wrong key gets no answer", { timeout: 60_000 }, async () => {
    const { id } = await server.api.send({ name: "draw", payload: { images: 3 } });
    const { page } = await watching(id, "pk_dev_wrong");
    // It asks three times more, after longer and longer pauses.
    const told = async () => {
      await page.clock.fastForward(5000);
      return page.textContent("body");
    };
    await expect.poll(told, { timeout: 20_000 }).toContain("error: Error: Invalid or Missing API key");
    await page.close();
  });
});
