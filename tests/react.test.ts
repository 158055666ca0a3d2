// The React hooks in a real Chromium, on a real server: a page with the public key sees a run live, until it has ended, and asks for nothing after that.
import { eventTrigger, type SchemaParser, TriggerClient } from "@trigger.dev/sdk";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, whyNoChromium } from "../packages/dashboard/mock/chromium.ts";
import { type Pages, servePages } from "./harness/pages.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";

if (whyNoChromium) process.stderr.write(`${whyNoChromium}\n`);

describe.skipIf(whyNoChromium)("a page that watches a run", () => {
  let server: TestServer;
  let pages: Pages;
  let browser: Browser;
  let publicKey = "";
  let client: TriggerClient;
  let connected: ReturnType<TriggerClient["connect"]>;
  /** What the job waits for before each of its steps. */
  const gates = new Map<string, { opened: Promise<void>; open: () => void }>();
  const gateOf = (name: string) => {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const gate = gates.get(name) ?? { opened, open };
    gates.set(name, gate);
    return gate;
  };
  const open = (name: string) => gateOf(name).open();

  beforeAll(async () => {
    [server, browser, pages] = await Promise.all([TestServer.start(), launchChromium(), servePages("tests/react")]);
    publicKey = (await server.api.call<{ pkApiKey: string }>("GET", "/api/v1/whoami")).pkApiKey;
    client = new TriggerClient({ id: "watched", apiKey: DEV_KEY, apiUrl: server.url });
    define(client, (name) => gateOf(name).opened);
    connected = client.connect();
    await connected.ready;
  }, 120_000);
  afterAll(async () => {
    await connected?.close();
    await browser?.close();
    pages?.close();
    await server?.stop();
    await cleanUp();
  });

  const watching = async (event: string, key = publicKey): Promise<{ page: Page; requests: string[]; errors: string[] }> => {
    const page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    const requests: string[] = [];
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("request", (request) => request.url().startsWith(server.url) && requests.push(new URL(request.url()).pathname));
    const query = new URLSearchParams({ key, server: server.url, event });
    await page.goto(`${pages.origin}/?${query}`);
    return { page, requests, errors };
  };

  test("sees each status as it is set, the tasks and the output, and stops at the end", { timeout: 60_000 }, async () => {
    const { id } = await client.sendEvent({ name: "images.draw", payload: { count: 2 } });
    const { page, requests } = await watching(id);
    const shows = (text: string) => page.getByText(text, { exact: true }).waitFor();
    await shows("EXECUTING: Drawing loading 0");
    open("2 half");
    await shows("EXECUTING: Drawing loading 0.5");
    open("2 end");
    await shows("SUCCESS: Drawn success 1");
    await shows('output: {"images":2}');
    await shows("tasks: Drawing, Draw, Status update, Half, Drawn");
    await shows("fetch: idle idle");
    await shows("same: true");
    const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
    // The last status may be on the page before the run has ended.
    expect(seen.filter((text) => text !== "EXECUTING: Drawn success 1").slice(-3)).toEqual([
      "EXECUTING: Drawing loading 0",
      "EXECUTING: Drawing loading 0.5",
      "SUCCESS: Drawn success 1",
    ]);
    // One stream for the run, whatever number of hooks look at it.
    expect(requests.filter((path) => path.endsWith("/stream"))).toHaveLength(1);
    const before = requests.length;
    const [run] = (await client.getEvent(id)).runs;
    await client.updateStatus(run?.id ?? "", "images", { label: "Set after the end" });
    expect(requests).toHaveLength(before);
    await page.close();
  });

  test("stops at an end v2's hooks did not know, too", { timeout: 60_000 }, async () => {
    const { id } = await client.sendEvent({ name: "images.checked", payload: { count: "none" } });
    const { page } = await watching(id);
    await page.getByText("INVALID_PAYLOAD: nothing", { exact: true }).waitFor();
    await page.getByText("fetch: idle idle", { exact: true }).waitFor();
    await page.close();
  });

  test("goes on after the server was killed and started again", { timeout: 90_000 }, async () => {
    const { id } = await client.sendEvent({ name: "images.draw", payload: { count: 3 } });
    const { page } = await watching(id);
    await page.getByText("EXECUTING: Drawing loading 0", { exact: true }).waitFor();
    await server.kill();
    await page.getByText("error: none", { exact: true }).waitFor({ state: "detached" });
    await server.start();
    open("3 half");
    open("3 end");
    await page.getByText("SUCCESS: Drawn success 1", { exact: true }).waitFor({ timeout: 45_000 });
    await page.getByText("error: none", { exact: true }).waitFor();
    await page.close();
  });

  test("a wrong key is told once, and a secret one is refused", { timeout: 60_000 }, async () => {
    const { id } = await client.sendEvent({ name: "images.checked", payload: { count: "none" } });
    const { page } = await watching(id, "pk_dev_wrong");
    await page.getByText(/^error: .*API key/).waitFor();
    await page.close();
    const refused = await watching(id, DEV_KEY);
    await expect.poll(() => refused.errors).toContainEqual(expect.stringMatching(/secret key/));
    await refused.page.close();
  });
});

const numbers: SchemaParser<{ count: number }> = {
  safeParse: (payload) => {
    const { count } = payload as { count: number };
    if (typeof count === "number") return { success: true, data: { count } };
    return { success: false, error: { issues: [{ path: ["count"], message: "A number is needed." }] } };
  },
};

function define(client: TriggerClient, gate: (name: string) => Promise<void>): void {
  client.defineJob({
    id: "draw",
    name: "Draw",
    version: "1.0.0",
    trigger: eventTrigger({ name: "images.draw" }),
    run: async (payload: { count: number }, io) => {
      const images = await io.createStatus("images", { label: "Drawing", state: "loading", data: { progress: 0 } });
      await io.runTask("draw", () => gate(`${payload.count} half`), { name: "Draw" });
      await images.update("half", { data: { progress: 0.5 } });
      await io.runTask("half done", () => gate(`${payload.count} end`), { name: "Half" });
      await images.update("drawn", { label: "Drawn", state: "success", data: { progress: 1 } });
      return { images: payload.count };
    },
  });
  client.defineJob({
    id: "checked",
    name: "Checked",
    version: "1.0.0",
    trigger: eventTrigger({ name: "images.checked", schema: numbers }),
    run: async ({ count }) => count,
  });
}
