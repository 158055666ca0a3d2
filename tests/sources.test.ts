// Sources as users have them: the app registers addresses with another service by itself, in a run; what that service sends starts the jobs, genuine or not at all, each message once.
import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { DeliverySummary, Page, RunDetail, RunSummary } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 30_000 };
const LONG = { timeout: 120_000 };

interface Hook {
  url: string;
  secret: string;
  topics: string[];
}

/** Another service: takes hooks, and sends signed messages to them. */
class Vendor {
  readonly hooks: Hook[] = [];
  /** How many more requests it refuses. */
  outages = 0;
  readonly #server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (this.outages-- > 0) return void response.writeHead(500).end();
    this.hooks.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.end(JSON.stringify({ id: this.hooks.length }));
  });
  url = "";

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve()));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
  hears(count: number): Promise<Hook[]> {
    return until(() => (this.hooks.length >= count ? this.hooks : null), { ...PATIENT, what: () => `${count} hooks` });
  }
  hook(topic: string, at = 0): Hook {
    const found = this.hooks.filter(({ topics }) => topics.includes(topic))[at];
    if (!found) throw new Error(`no hook for ${topic}: ${JSON.stringify(this.hooks)}`);
    return found;
  }
  async send({ url, secret }: Hook, message: object, signature?: string): Promise<number> {
    const body = JSON.stringify(message);
    const signed = createHmac("sha256", secret).update(body).digest("hex");
    const headers = { "content-type": "application/json", "x-signature": signature ?? signed };
    return (await fetch(url, { method: "POST", headers, body })).status;
  }
}

describe.each<Mounting>(["published", "ours", "ours-by-push"])("sources, SDK %s", (mounting) => {
  let server: TestServer;
  const vendor = new Vendor();

  beforeAll(async () => {
    await vendor.start();
    server = await TestServer.start();
    const env = { ...server.appEnv, VENDOR_URL: vendor.url };
    await startCopiedApp({ mounting, files: ["tests/published/sources.ts"], env });
    await vendor.hears(2);
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    await cleanUp();
    removeCopiedApps();
    vendor.stop();
  });

  const last = async (job: string, count: number): Promise<RunDetail> => {
    const [run] = await server.api.settled(job, count, PATIENT);
    return server.api.run(run?.id ?? "");
  };
  const verdict = (reason: RegExp) =>
    until(
      async () => {
        const all = await server.api.call<{ items: DeliverySummary[] }>("GET", "/api/v1/environments/dev/deliveries");
        return all.items.find((delivery) => reason.test(delivery.reason ?? "")) ?? null;
      },
      { ...PATIENT, what: () => `a delivery with ${reason}` },
    );
  /** The register run of the source has ended, so that what it told is kept. */
  const registered = () => server.api.settled("vendor.topic-http-issues-vendor", 1, PATIENT);

  test("an integration's trigger: one hook for all jobs of its key, with all their events", LONG, async () => {
    await registered();
    const hook = vendor.hook("opened");
    expect(hook.topics.sort()).toEqual(["closed", "opened"]);
    expect(hook.url).toMatch(new RegExp(`^${server.url}/api/v1/sources/http/`));
    expect(await vendor.send(hook, { topic: "issues", on: "opened", n: 1 })).toBe(200);
    const opened = await last("on-opened", 1);
    expect(opened.output, JSON.stringify(opened.errorDetail)).toMatchObject({
      payload: { topic: "issues", n: 1, seen: 1, data: { hook: expect.any(Number) } },
      event: "opened",
    });
    expect(await vendor.send(hook, { topic: "issues", on: "closed", n: 2 })).toBe(200);
    expect((await last("on-closed", 1)).output).toMatchObject({ payload: { n: 2, seen: 2 } });
    expect(await vendor.send(hook, { topic: "others", on: "opened", n: 3 })).toBe(200);
    await verdict(/The app found 1 event in it/);
    expect(await vendor.send(hook, { topic: "issues", on: "opened", n: 4 }, "00ff")).toBe(200);
    expect(await verdict(/answered 401/)).toMatchObject({ verdict: "refused" });
    expect(await server.api.runsOf("on-opened")).toHaveLength(1);
  });

  test("a message the service sends twice starts one run", LONG, async () => {
    const hook = vendor.hook("opened");
    const message = { id: `twice-${mounting}`, topic: "issues", on: "opened", n: 5 };
    for (const _ of [1, 2]) expect(await vendor.send(hook, message)).toBe(200);
    await vendor.send(hook, { topic: "issues", on: "opened", n: 6 });
    await server.api.settled("on-opened", 3, PATIENT);
    const numbers = (await Promise.all((await server.api.runsOf("on-opened")).map(({ id }) => server.api.run(id)))).map(
      ({ output }) => (output as { payload: { n: number } }).payload.n,
    );
    expect(numbers.sort()).toEqual([1, 5, 6]);
  });

  test("a webhook source: the app verifies, and sends its events by itself", LONG, async () => {
    const hook = vendor.hook("pinged");
    expect(hook.url).toMatch(new RegExp(`^${server.url}/api/v1/http-endpoints/`));
    expect(await vendor.send(hook, { topic: "pings", on: "pinged", n: 7 })).toBe(200);
    const pinged = await last("on-webhook", 1);
    expect(pinged.output, JSON.stringify(pinged.errorDetail)).toEqual({ n: 7, id: "webhook 7" });
    expect(await vendor.send(hook, { topic: "pings", on: "pinged", n: 8 }, "00ff")).toBe(200);
    await verdict(/Failed sha256 verification/i);
    expect(await server.api.runsOf("on-webhook")).toHaveLength(1);
  });

  test("a dynamic trigger: each key has its hook, and its runs know the key and the account", LONG, async () => {
    const before = vendor.hooks.length;
    for (const [at, key] of ["owner/repo", "second"].entries()) {
      const made = await server.api.runOnce(
        "register-topic",
        { name: "sources.register", payload: { key, topic: key } },
        PATIENT,
      );
      expect(made.output, JSON.stringify(made.errorDetail)).toEqual({
        active: false,
        trigger: "any-topic",
        missing: { desired: ["opened"], missing: ["opened"], orphaned: [] },
      });
      await vendor.hears(before + at + 1);
    }
    await server.api.settled("register-dynamic-trigger-any-topic", 2, PATIENT);
    const [first, second] = vendor.hooks.slice(before) as [Hook, Hook];
    expect(first.url).not.toBe(second.url);
    await vendor.send(first, { topic: "owner/repo", on: "opened", n: 9 });
    const account = { id: "acme" };
    expect((await last("on-any-topic", 1)).output).toEqual({ n: 9, topic: "owner/repo", source: { id: "owner/repo" }, account });
    await vendor.send(second, { topic: "second", on: "opened", n: 10 });
    expect((await last("on-any-topic", 2)).output).toEqual({ n: 10, topic: "second", source: { id: "second" }, account });
    // Registered again as it is: nothing is missing, so the service is not asked.
    const again = { name: "sources.register", payload: { key: "second", topic: "second" } };
    expect((await server.api.runOnce("register-topic", again, PATIENT)).output).toMatchObject({
      active: true,
      missing: { desired: ["opened"], missing: [], orphaned: [] },
    });
    // As programs of before 2.2 do it.
    const byIo = { name: "sources.register-by-io", payload: { key: "second", topic: "second" } };
    expect((await server.api.runOnce("register-by-io", byIo, PATIENT)).output).toEqual({
      id: "string",
      key: "any-topic:second:vendor.topic-http-second-vendor",
    });
    expect(vendor.hooks).toHaveLength(before + 2);
    expect(await server.api.runsOf("register-dynamic-trigger-any-topic")).toHaveLength(2);
  });
});

test("what could not be registered is asked for again when the app registers again; a kill -9 loses nothing", LONG, async () => {
  const vendor = new Vendor();
  await vendor.start();
  // The source's one try, and the webhook's two.
  vendor.outages = 3;
  const server = await TestServer.start();
  const env = { ...server.appEnv, VENDOR_URL: vendor.url };
  const app = { mounting: "ours" as const, files: ["tests/published/sources.ts"], env };
  const first = await startCopiedApp(app);
  const job = "vendor.topic-http-issues-vendor";
  expect((await server.api.settled(job, 1, PATIENT))[0]?.status).toBe("FAILURE");
  const failed = async () => {
    const { items } = await server.api.call<Page<RunSummary>>("GET", "/api/v1/environments/dev/runs");
    return items.filter(({ status }) => status === "FAILURE").length === 2 || null;
  };
  await until(failed, { ...PATIENT, what: () => "the failure of both register runs" });
  await first.stop();
  await startCopiedApp(app);
  await vendor.hears(2);
  const statuses = async () => (await server.api.settled(job, 2, PATIENT)).map(({ status }) => status);
  expect((await statuses()).sort()).toEqual(["FAILURE", "SUCCESS"]);
  await server.kill();
  await server.start();
  expect(await vendor.send(vendor.hook("opened"), { topic: "issues", on: "opened", n: 1 })).toBe(200);
  const [run] = await server.api.settled("on-opened", 1, PATIENT);
  expect(run?.status).toBe("SUCCESS");
  expect(vendor.hooks).toHaveLength(2);
  await server.stop();
  await cleanUp();
  vendor.stop();
});
