// The dashboard on a real server, with the Clerk example, in a real Chromium: what a person sees after one signed webhook and one forged one, and
// that replay and run again do what they say. The dashboard's own tests use a mock API; this one shows that the real one fits.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, whyNoChromium } from "../packages/dashboard/mock/chromium.ts";
import { CLERK_APP, clerkEnvironment } from "./harness/apps.ts";
import { type Dev, startDev } from "./harness/dev.ts";
import { cleanUp, ROOT } from "./harness/processes.ts";
import { sendSigned, userCreated } from "./harness/webhooks.ts";

if (whyNoChromium) process.stderr.write(`${whyNoChromium}\n`);

describe.skipIf(whyNoChromium)("the dashboard on a real server", () => {
  let dev: Dev;
  let clerk: Awaited<ReturnType<typeof clerkEnvironment>>;
  let browser: Browser;
  let page: Page;
  const wrongs: string[] = [];

  beforeAll(async () => {
    clerk = await clerkEnvironment({ waitSeconds: 1 });
    [dev, browser] = await Promise.all([startDev(ROOT, [CLERK_APP], clerk.env), launchChromium()]);
    const url = await dev.api.endpointUrl("clerk.com");
    await dev.api.knowsJob("welcome-clerk-user");
    expect((await sendSigned(url, userCreated("user_seen"))).status).toBe(200);
    await dev.api.settled("welcome-clerk-user", 1);
    page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => message.type() === "error" && wrongs.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => wrongs.push(`exception: ${error.message}`));
    page.on("request", (request) => {
      if (![dev.url, "blob:"].some((start) => request.url().startsWith(start))) wrongs.push(`left the origin: ${request.url()}`);
    });
  });
  afterEach(() => {
    expect(wrongs.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await clerk?.standIn.stop();
    await cleanUp();
  });

  const path = () => new URL(page.url()).pathname;
  const open = async (where: string) => {
    await page.goto(dev.url + where);
    await page.locator("h1").first().waitFor();
  };
  const runRows = (job: string) => page.getByRole("grid", { name: "Runs" }).getByRole("row").filter({ hasText: job });

  test("the runs list shows what the webhook started, and the run page its logged body", async () => {
    await open("/");
    await page.getByRole("navigation").getByRole("link", { name: "Runs" }).click();
    await runRows("Welcome").getByText("Completed").waitFor();
    await runRows("HTTP Clerk").getByText("Completed").waitFor();
    await runRows("HTTP Clerk").click();
    await expect.poll(path).toMatch(/^\/runs\/run_/);
    const log = page.getByRole("treegrid").getByRole("row").first();
    await expect.poll(() => log.textContent()).toMatch(/INFO.*Body.*user\.created/);
    await log.click();
    await page.getByLabel("log data").getByText('"user_seen"').waitFor();
  });

  test("the longer run shows its tasks, its wait and its output", async () => {
    const [run] = await dev.api.runsOf("welcome-clerk-user");
    await open(`/runs/${run?.id}`);
    await page.getByRole("row", { name: /Fetch the user/ }).waitFor();
    await page.getByRole("row", { name: /welcome message/ }).waitFor();
    await page.getByLabel("run output").getByText('"ada@example.com"').waitFor();
    await page.getByRole("tab", { name: "payload" }).click();
    await page.getByLabel("request body").getByText('"user_seen"').waitFor();
  });

  test("run again makes a new run of the same event, which completes", async () => {
    const [run] = await dev.api.runsOf("http-clerk");
    await open(`/runs/${run?.id}`);
    await page.getByRole("button", { name: "Run again" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Run again" }).click();
    await expect.poll(path).not.toBe(`/runs/${run?.id}`);
    await page.getByText("Completed", { exact: true }).first().waitFor();
    expect(await dev.api.runsOf("http-clerk")).toHaveLength(2);
  });

  test("an endpoint's page opens by its own address; a tampered sample becomes a refused delivery with its reason", async () => {
    await open("/endpoints/clerk.com");
    await page.getByRole("combobox", { name: "Sample" }).selectOption("user.created");
    await page.getByRole("combobox", { name: "Signature" }).selectOption("tampered");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByRole("status").getByText("No matching signature found").waitFor();
    await page.getByRole("link", { name: "See the delivery" }).click();
    await page.getByText("Refused: No matching signature found").waitFor();
    await open("/deliveries?verdict=refused");
    await page.getByRole("grid").getByText("No matching signature found").waitFor();
    expect(await dev.api.runsOf("http-clerk"), "a refused request runs nothing").toHaveLength(2);
  });

  test("replay of a verified delivery starts its jobs again", async () => {
    const [first] = await dev.api.deliveries({ verdict: "verified" });
    await open(`/deliveries/${first?.id}`);
    await page.getByRole("button", { name: "Replay" }).click();
    await expect.poll(path).not.toBe(`/deliveries/${first?.id}`);
    await page.getByText("Verified", { exact: true }).first().waitFor();
    await dev.api.settled("http-clerk", 3);
    await dev.api.settled("welcome-clerk-user", 2);
  });

  test("every page opens on real data", async () => {
    for (const title of ["Runs", "Jobs", "Endpoints", "Deliveries", "Environments", "Catalogue"]) {
      await page.getByRole("navigation").getByRole("link", { name: title }).click();
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
    }
    await open("/catalogue/clerk");
    await page.getByRole("button", { name: /^Copy clerk\.ts/ }).waitFor();
  });
});
