// Uses the built dashboard as a person would, in a real Chromium over the mock API: what each screen can do, and that it does it.
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { buildDashboard, launchChromium, type Opened, openDashboard, whyNoChromium } from "../mock/chromium.ts";

if (whyNoChromium) process.stderr.write(`${whyNoChromium}\n`);

describe.skipIf(whyNoChromium)("screens", () => {
  let browser: Browser;
  let built: Awaited<ReturnType<typeof buildDashboard>>;
  let open: Opened;

  beforeAll(async () => {
    [built, browser] = await Promise.all([buildDashboard(), launchChromium()]);
  });
  afterEach(async () => {
    await open.close();
    expect(open.wrongs).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await built?.remove();
  });

  const visit = async (path: string, mock = {}): Promise<Opened["page"]> => {
    open = await openDashboard({ browser, dist: built.dist, mock });
    await open.go(path);
    return open.page;
  };
  const asked = (wanted: string) => expect.poll(() => open.server.api.asked).toContain(wanted);
  const path = () => new URL(open.page.url()).pathname;
  const search = (name: string) => new URL(open.page.url()).searchParams.get(name);

  it("leads to every page from the rail, and by `g` shortcuts", async () => {
    const page = await visit("/");
    for (const title of ["Runs", "Jobs", "Endpoints", "Deliveries", "Environments", "Catalogue"]) {
      await page.getByRole("navigation").getByRole("link", { name: title }).click();
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
    }
    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await expect.poll(path).toBe("/deliveries");
  });

  it("keeps the filters of the runs list in the URL", async () => {
    const page = await visit("/runs");
    await page.getByRole("button", { name: "Failed" }).click();
    await page.getByRole("combobox", { name: "Job" }).selectOption("sync-invoices");
    await page.getByRole("combobox", { name: "Time" }).selectOption("1h");
    await expect.poll(() => [search("status"), search("job"), search("since")]).toEqual(["failed", "sync-invoices", "1h"]);
    const rows = page.getByRole("grid", { name: "Runs" }).getByRole("row");
    await expect.poll(() => rows.count()).toBe(2);
    await page.reload();
    await expect.poll(() => rows.nth(1).textContent()).toContain("402 card_declined");
    expect(await page.getByRole("button", { name: "Failed" }).getAttribute("aria-pressed")).toBe("true");
    await page.getByRole("button", { name: "Clear filters" }).click();
    await expect.poll(() => rows.count()).toBeGreaterThan(10);
  });

  it("loads more runs as one scrolls, and keeps the DOM small", async () => {
    const page = await visit("/runs");
    const grid = page.getByRole("grid", { name: "Runs" });
    const scrolledTo = async () => {
      await grid.evaluate((element) => element.parentElement?.scrollTo(0, element.scrollHeight));
      const ids = (await grid.textContent())?.match(/run_\d{5}(?!\d)/g) ?? ["run_99999"];
      return Math.min(...ids.map((id) => Number(id.slice("run_".length))));
    };
    await expect.poll(scrolledTo, { timeout: 25_000 }).toBeLessThanOrEqual(99_700);
    expect(await page.locator("*").count()).toBeLessThan(2_500);
  });

  it("opens a run by keyboard", async () => {
    const page = await visit("/runs");
    await page.getByText("run_queued").waitFor();
    for (const key of ["j", "j", "j", "Enter"]) await page.keyboard.press(key);
    await expect.poll(path).toBe("/runs/run_clerk");
  });

  it("shows the logged body of a run, in the tree and among the logs", async () => {
    const page = await visit("/runs/run_clerk");
    const row = page.getByRole("treegrid").getByRole("row").first();
    expect(await row.textContent()).toMatch(/INFO.*Body.*user\.created/);
    await row.click();
    await page.getByLabel("log data").getByText('"Alan"').waitFor();
    await page.getByRole("tab", { name: "logs" }).click();
    await page.getByLabel("Log lines").getByText('"person3@example.org"').waitFor();
    expect(search("tab")).toBe("logs");
    await page.getByRole("tab", { name: "payload" }).click();
    await page.getByLabel("request body").getByText('"Turing"').waitFor();
  });

  it("shows a task's failed attempts, input and output", async () => {
    const page = await visit("/runs/run_welcome");
    await page.getByRole("row", { name: /Send welcome message/ }).click();
    const pane = page.getByRole("region", { name: "Selected task" });
    await pane.getByText("Attempt 2").waitFor();
    await pane.getByLabel("task output").getByText('"eml_8812"').waitFor();
    await page.keyboard.press("Escape");
    await page.getByLabel("run output").getByText('"messageId"').waitFor();
  });

  it("cancels a run after asking, and shows it canceled", async () => {
    const page = await visit("/runs/run_waiting");
    await page.getByText("Continues in").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Cancel the run" }).click();
    await asked("POST /api/v1/environments/dev/runs/run_waiting/cancel");
    await page.getByText("Canceled", { exact: true }).first().waitFor();
    expect(await page.getByRole("button", { name: "Cancel" }).count()).toBe(0);
  });

  it("runs again, and goes to the new run", async () => {
    const page = await visit("/runs/run_failed");
    await page.getByRole("button", { name: "Run again" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Run again" }).click();
    await expect.poll(path).toBe("/runs/run_new1");
    await page.getByText("Queued", { exact: true }).first().waitFor();
  });

  it("continues a failed run", async () => {
    const page = await visit("/runs/run_failed");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Continue the run" }).click();
    await page.getByText("Running", { exact: true }).first().waitFor();
  });

  it("stays usable with 10,000 tasks", async () => {
    const page = await visit("/runs/run_big");
    await page.getByText("10 000 tasks").waitFor();
    expect(await page.locator("*").count()).toBeLessThan(2_500);
    await page.getByRole("button", { name: "Fold all" }).click();
    const tree = page.getByRole("treegrid");
    await expect.poll(() => tree.getAttribute("aria-rowcount")).toBe("100");
    await page.keyboard.press("j");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => tree.getAttribute("aria-rowcount")).toBe("199");
  });

  it("follows a run live", async () => {
    const page = await visit("/runs/run_retrying");
    await page.getByText("Live", { exact: true }).waitFor();
    const { api } = open.server;
    const run = api.world.runs.find((each) => each.id === "run_retrying");
    Object.assign(run ?? {}, {
      status: "SUCCESS",
      completedAt: new Date(api.world.now).toISOString(),
      output: { charged: "yes" },
    });
    api.emit({ type: "run", id: "run_retrying", job: "sync-invoices", status: "SUCCESS" });
    await page.getByLabel("run output").getByText('"charged"').waitFor();
  });

  it("shares one live stream among tabs, and a second tab still hears", async () => {
    const page = await visit("/runs");
    await page.getByText("Live", { exact: true }).waitFor();
    const second = await page.context().newPage();
    await second.goto(`${open.server.url}/runs`);
    await second.getByText("Live", { exact: true }).waitFor();
    expect(open.server.api.asked.filter((each) => each.endsWith("/live"))).toHaveLength(1);
    const [run] = open.server.api.world.runs;
    Object.assign(run ?? {}, { jobName: "Renamed meanwhile" });
    open.server.api.emit({ type: "run", id: run?.id ?? "", job: "x", status: "QUEUED" });
    await second.getByText("Renamed meanwhile").waitFor();
  });

  it("explains a refused delivery, and replays it", async () => {
    const page = await visit("/deliveries?verdict=refused");
    await page.getByRole("gridcell", { name: "Refused" }).first().waitFor();
    await page.getByText("Missing svix headers").first().click();
    await page.getByText("carries no signature").waitFor();
    await page.getByRole("button", { name: "Replay" }).click();
    await expect.poll(path).toBe("/deliveries/dlv_new1");
    await page.getByText("Verified", { exact: true }).first().waitFor();
  });

  it("shows a binary body as hex, and copies a request as cURL", async () => {
    const page = await visit("/deliveries/dlv_00000885");
    await page.getByText("00000000  00 1f 3e 5d").waitFor();
    await page.getByRole("button", { name: "Copy as cURL" }).click();
    await page.getByText("Copied", { exact: true }).first().waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^echo .* \| base64 -d \| curl -X 'POST'/);
  });

  it("sends a wrong sample, and leads to its refusal", async () => {
    const page = await visit("/endpoints/clerk.com");
    await page.getByRole("combobox", { name: "Signature" }).selectOption("wrong-secret");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("The endpoint answered 200").waitFor();
    await page.getByRole("status").getByText("No matching signature found").waitFor();
    await page.getByRole("link", { name: "See the delivery" }).click();
    await page.getByText("Refused: No matching signature found").waitFor();
  });

  it("stores a secret without ever showing it", async () => {
    const page = await visit("/endpoints/clerk.com");
    await page.getByLabel("Signing secret").fill("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    await page.getByRole("button", { name: "Set secret" }).click();
    await page.getByText("A secret is stored.").waitFor();
    expect(await page.getByLabel("Signing secret").inputValue()).toBe("");
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove the secret" }).click();
    await page.getByText("No secret is stored").waitFor();
  });

  it("shows the events that started no run of a job, and why", async () => {
    const page = await visit("/jobs/http-clerk");
    await page.getByRole("tab", { name: "skipped" }).click();
    const list = page.getByRole("list", { name: "Skipped events" });
    await list.getByText("The job's rateLimit was used up until").first().waitFor();
    expect(await list.getByRole("listitem").count()).toBe(2);
  });

  it("tests a job with an edited payload", async () => {
    const page = await visit("/jobs/http-clerk?tab=test");
    const editor = page.getByLabel("Payload as JSON");
    await editor.fill("{");
    expect(await page.getByRole("button", { name: "Run test" }).isDisabled()).toBe(true);
    await page.getByRole("combobox", { name: "Start from" }).selectOption("user.created");
    expect(await editor.inputValue()).toContain("rawBody");
    await page.getByRole("button", { name: "Run test" }).click();
    await expect.poll(path).toBe("/runs/run_new1");
    await asked("POST /api/v1/environments/dev/jobs/http-clerk/test");
  });

  it("reveals and rotates keys, the latter after asking", async () => {
    const page = await visit("/environments");
    const dev = page.getByRole("region", { name: "Environment dev" });
    expect(await dev.textContent()).not.toContain("tr_dev_3kfA81nZ0qPLrX9Qf");
    await dev.getByRole("button", { name: "Reveal" }).click();
    await dev.getByText("tr_dev_3kfA81nZ0qPLrX9Qf").waitFor();
    await dev.getByRole("button", { name: "Rotate" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Rotate the keys" }).click();
    await asked("POST /api/v1/environments/dev/keys/rotate");
  });

  it("sets an integration up, connects it, and disconnects another after asking", async () => {
    const page = await visit("/integrations");
    const slack = page.getByRole("region", { name: "Integration slack" });
    await slack.getByText("3 runs waiting").waitFor();
    expect(await slack.getByRole("button", { name: "Connect: your own" }).isDisabled()).toBe(true);
    await slack.getByLabel("Client id").fill("abc.def");
    await slack.getByLabel("Client secret").fill("shh");
    await slack.getByLabel("Scopes").fill("chat:write, users:read");
    await slack.getByLabel("Issuer").fill("https://slack.example");
    await slack.getByRole("button", { name: "Set up" }).click();
    await asked("PUT /api/v1/environments/dev/integrations/slack/app");
    await slack.getByRole("button", { name: "Connect: your own" }).click();
    await asked("POST /api/v1/environments/dev/integrations/slack/links");
    await expect.poll(path).toBe("/integrations");
    const github = page.getByRole("region", { name: "Integration github" });
    await github.getByRole("button", { name: "Disconnect" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Disconnect" }).click();
    await asked("POST /api/v1/environments/dev/integrations/github/disconnect");
    await github.getByText("Not connected").waitFor();
    await github.getByText("The tokens it had are not ended at the service").waitFor();
  });

  it("copies a catalogue file exactly", async () => {
    const page = await visit("/catalogue/clerk");
    await page.getByRole("button", { name: "Copy jobs.ts" }).click();
    await page.getByRole("button", { name: "Copy jobs.ts" }).getByText("Copied").waitFor({ state: "attached" });
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/^import \{ TriggerClient \}[\s\S]*await io\.logger\.info\("Body", body\);[\s\S]*\n$/);
  });

  it("finds jobs and runs in the palette", async () => {
    const page = await visit("/");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Find/ }).fill("run_hostile");
    await page.getByRole("option", { name: /run_hostile/ }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(path).toBe("/runs/run_hostile");
  });

  it("switches environment, keeps it in the URL, and says why a list is empty", async () => {
    const page = await visit("/runs");
    await page.getByLabel("Environment").selectOption("prod");
    await page.getByText("No runs yet").waitFor();
    expect(search("env")).toBe("prod");
    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    await page.getByText("No jobs yet").waitFor();
    expect(search("env")).toBe("prod");
  });

  it("shows the first steps while no app is connected", async () => {
    const page = await visit("/", { empty: true });
    await page.getByText("npx holdfast dev app.ts").waitFor();
  });
});
