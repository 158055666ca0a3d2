// What must hold on every page, in a real Chromium: nothing hostile runs, nothing leaves the origin, it reads with assistive
// technology, fits a phone, keeps its theme, asks for a login when it must, and stays within its size.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { buildDashboard, launchChromium, type Opened, openDashboard, whyNoChromium } from "../mock/chromium.ts";
import { HOSTILE } from "../mock/samples.ts";

const PATHS = [
  "/",
  "/runs",
  "/runs/run_welcome",
  "/runs/run_failed?tab=logs",
  "/runs/run_clerk?tab=payload",
  "/deliveries",
  "/deliveries/dlv_00000896",
  "/endpoints",
  "/endpoints/clerk.com",
  "/jobs",
  "/jobs/http-clerk?tab=test",
  "/integrations",
  "/environments",
  "/catalogue",
  "/catalogue/clerk",
];
const PHONE = { width: 320, height: 640 };
const KB = 1_000;

interface Manifest {
  [file: string]: { file: string; isEntry?: boolean; imports?: string[]; css?: string[] };
}

/** The entry, everything it imports at once, and their styles. */
function initialFiles(manifest: Manifest): string[] {
  const files = new Set<string>();
  const add = (name: string) => {
    const chunk = manifest[name];
    if (!chunk || files.has(chunk.file)) return;
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    for (const each of chunk.imports ?? []) add(each);
  };
  for (const [name, chunk] of Object.entries(manifest)) if (chunk.isEntry) add(name);
  return [...files];
}

describe.skipIf(whyNoChromium)("every page", () => {
  let browser: Browser;
  let built: Awaited<ReturnType<typeof buildDashboard>>;
  let open: Opened;

  beforeAll(async () => {
    [built, browser] = await Promise.all([buildDashboard(), launchChromium()]);
  });
  afterEach(async () => {
    await open?.close();
  });
  afterAll(async () => {
    await browser?.close();
    await built?.remove();
  });

  const begin = async (context: BrowserContextOptions = {}, mock = {}): Promise<Opened> => {
    open = await openDashboard({ browser, dist: built.dist, mock, context });
    return open;
  };

  /** Waits until nothing says it is loading, then lets axe judge. */
  const violations = async (): Promise<string[]> => {
    const { page } = open;
    await expect.poll(() => page.getByText(/^(Loading|Opening) .*…$/).count()).toBe(0);
    await page.evaluate(axe.source);
    return page.evaluate(async () => {
      const tags = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
      const judge = (
        window as unknown as {
          axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        }
      ).axe;
      return (await judge.run(tags)).violations.map((found) => `${found.id}: ${found.nodes[0]?.html.slice(0, 200)}`);
    });
  };

  it.each([
    ["light", undefined],
    ["dark", undefined],
    ["light", PHONE],
    ["dark", PHONE],
  ] as const)("passes axe and fits: %s, %o", { timeout: 120_000 }, async (colorScheme, viewport) => {
    await begin({ colorScheme, reducedMotion: "reduce", ...(viewport ? { viewport } : {}) });
    const found: string[] = [];
    for (const path of PATHS) {
      await open.go(path);
      for (const violation of await violations()) found.push(`${path} ${violation}`);
      const tooWide = await open.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (tooWide > 0) found.push(`${path} is ${tooWide} px too wide`);
    }
    expect(found).toEqual([]);
    expect(open.wrongs).toEqual([]);
  });

  it("passes axe with a dialog, the palette, a selected task and a login", { timeout: 60_000 }, async () => {
    await begin({ reducedMotion: "reduce" });
    await open.go("/runs/run_welcome?task=missing");
    await open.page.getByRole("row", { name: /Send welcome message/ }).click();
    expect(await violations()).toEqual([]);
    await open.page.getByRole("button", { name: "Run again" }).click();
    expect(await violations()).toEqual([]);
    await open.page.keyboard.press("Escape");
    await open.page.keyboard.press("Control+k");
    await open.page.getByRole("combobox", { name: /Find/ }).waitFor();
    expect(await violations()).toEqual([]);
    await open.close();
    await begin({}, { password: "correct horse" });
    await open.go("/");
    expect(await violations()).toEqual([]);
  });

  it("shows hostile text as text, everywhere", async () => {
    await begin();
    for (const path of [
      "/",
      "/runs",
      "/jobs",
      "/jobs/xss-job",
      "/runs/run_hostile",
      "/runs/run_hostile?tab=logs",
      "/runs/run_hostile?tab=raw",
      "/deliveries/dlv_00000896",
    ]) {
      await open.go(path);
      await open.page.getByText("window.pwned").first().waitFor({ state: "attached" });
      expect(await open.page.evaluate(() => "pwned" in window), path).toBe(false);
      expect(await open.page.locator('img, main script, a[href^="javascript:"]').count(), path).toBe(0);
    }
    await open.go("/runs/run_hostile");
    await open.page.getByRole("row").nth(1).click();
    await open.page.getByRole("region", { name: "Selected task" }).getByText(HOSTILE, { exact: true }).first().waitFor();
    expect(await open.page.locator('a[href^="javascript:"]').count()).toBe(0);
    expect(open.wrongs).toEqual([]);
  });

  it("keeps the chosen theme, and sets it before the app's own script runs", async () => {
    await begin({ colorScheme: "light" });
    await open.go("/");
    const ground = () => open.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await ground()).toBe("rgb(255, 255, 255)");
    for (const name of ["Theme: system", "Theme: light"]) await open.page.getByRole("button", { name }).click();
    await expect.poll(ground).toBe("rgb(13, 15, 18)");
    await open.page.route("**/assets/*.js", (route) => route.abort());
    await open.page.reload();
    expect(await ground()).toBe("rgb(13, 15, 18)");
  });

  it("asks for the password, says when it is wrong, and goes on to where one was going", async () => {
    await begin({}, { password: "correct horse" });
    await open.go("/deliveries?verdict=refused");
    const { page } = open;
    expect(new URL(page.url()).pathname).toBe("/login");
    expect(open.wrongs).toEqual([]);
    await page.getByLabel("Admin password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").getByText("not the password").waitFor();
    await page.getByLabel("Admin password").fill("correct horse");
    await page.keyboard.press("Enter");
    await page.getByText("Missing svix headers").first().waitFor();
    expect(new URL(page.url()).search).toContain("verdict=refused");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Admin password").waitFor();
  });

  it("polls when there is no live stream", async () => {
    await begin();
    await open.page.route("**/live", (route) => route.fulfill({ status: 503 }));
    await open.go("/runs");
    await open.page.getByText("Polling", { exact: true }).waitFor();
    const lists = () => open.server.api.asked.filter((each) => each.includes("/runs?")).length;
    await expect.poll(lists, { timeout: 15_000 }).toBeGreaterThan(1);
  });

  it("says what is wrong when a thing or the server is not there", async () => {
    await begin();
    await open.go("/");
    await open.page.goto(`${open.server.url}/runs/run_nowhere`);
    await open.page.getByText("No such run", { exact: true }).waitFor();
    await open.page.goto(`${open.server.url}/nowhere`);
    await open.page.getByText("No such page", { exact: true }).waitFor();
  });

  it("stays within its size", async () => {
    const manifest = JSON.parse(await readFile(join(built.dist, ".vite/manifest.json"), "utf8")) as Manifest;
    const sizes = await Promise.all(
      initialFiles(manifest).map(async (file) => ({ file, size: gzipSync(await readFile(join(built.dist, file))).length })),
    );
    const total = (end: string) => sizes.filter((each) => each.file.endsWith(end)).reduce((sum, each) => sum + each.size, 0);
    expect(total(".js")).toBeGreaterThan(50 * KB);
    expect(total(".js")).toBeLessThan(190 * KB);
    expect(total(".css")).toBeLessThan(20 * KB);
  });
});
