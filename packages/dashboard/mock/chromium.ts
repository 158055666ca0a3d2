// Drives the built dashboard in a real Chromium over the mock API. Called by screens.test.ts and pages.test.ts.
// Promises: a page that records what must not happen (console errors, requests to other origins), and everything closed by `close`.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { MockOptions } from "./api.ts";
import { type MockServer, serveMock } from "./serve.ts";

const CHROMIUM = "/usr/bin/chromium";
const QUIET = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Why the screen tests cannot run here, or null. */
export const whyNoChromium: string | null = existsSync(CHROMIUM) ? null : `screen tests skipped: there is no ${CHROMIUM} here`;

/** Builds the dashboard as it is now into a fresh folder. */
export async function buildDashboard(): Promise<{ dist: string; remove(): Promise<void> }> {
  const dist = await mkdtemp(join(tmpdir(), "holdfast-dashboard-"));
  const vite = join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin/vite.js");
  const root = fileURLToPath(new URL("..", import.meta.url));
  const env = { ...process.env, NODE_ENV: "production" };
  await promisify(execFile)(process.execPath, [vite, "build", "--outDir", dist, "--emptyOutDir", "--logLevel", "error"], {
    cwd: root,
    env,
  });
  return { dist, remove: () => rm(dist, { recursive: true, force: true }) };
}

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", ...QUIET] });

export interface Opened {
  page: Page;
  server: MockServer;
  /** Console errors, uncaught exceptions and requests that left the origin. Must stay empty. */
  wrongs: string[];
  go(path: string): Promise<void>;
  close(): Promise<void>;
}

interface OpenOptions {
  browser: Browser;
  dist: string;
  mock?: MockOptions;
  context?: BrowserContextOptions;
}

/** A fresh browser profile on a fresh mock server. */
export async function openDashboard({ browser, dist, mock = {}, context = {} }: OpenOptions): Promise<Opened> {
  const server = await serveMock(dist, mock);
  const profile = await browser.newContext({
    viewport: { width: 1360, height: 860 },
    permissions: ["clipboard-read", "clipboard-write"],
    ...context,
  });
  const page = await profile.newPage();
  page.setDefaultTimeout(10_000);
  const wrongs: string[] = [];
  page.on("console", (message) => message.type() === "error" && wrongs.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrongs.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    const local = [server.url, "blob:"].some((start) => request.url().startsWith(start));
    if (!local) wrongs.push(`left the origin: ${request.url()}`);
  });
  return {
    page,
    server,
    wrongs,
    async go(path) {
      await page.goto(server.url + path);
      await page.locator("h1").first().waitFor();
    },
    async close() {
      await profile.close();
      await server.close();
    },
  };
}
