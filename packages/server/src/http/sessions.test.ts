import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fixture, startFixture } from "./fixture.test.mts";
import { checkPassword, hashPassword } from "./password.ts";
import { Sessions } from "./sessions.ts";

const PASSWORD = "correct horse battery";
let server: Fixture;
const dashboardDir = mkdtempSync(join(tmpdir(), "hf-dash-"));
beforeAll(async () => {
  mkdirSync(join(dashboardDir, "assets"));
  writeFileSync(join(dashboardDir, "index.html"), `<!doctype html><title>Holdfast</title>${" ".repeat(2000)}`);
  writeFileSync(join(dashboardDir, "assets", "app-1a2b3c.js"), `console.log(1);${" ".repeat(2000)}`);
  server = await startFixture({ mode: "start", adminPasswordHash: await hashPassword(PASSWORD, "k"), dashboardDir });
});
afterAll(async () => {
  await server.stop();
  rmSync(dashboardDir, { recursive: true });
});

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}
/** Node's own client: fetch would not let a test set Host, Origin or Cookie. */
function ask(path: string, { method = "GET", headers = {}, body }: Asked = {}, port = server.port) {
  return new Promise<{ status: number; headers: Record<string, string | string[] | undefined>; text: string; bytes: Buffer }>(
    (resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response
          .on("data", (chunk: Buffer) => chunks.push(chunk))
          .on("end", () => {
            const bytes = Buffer.concat(chunks);
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text: bytes.toString(), bytes });
          });
      });
      sent.on("error", reject).end(body);
    },
  );
}
function promised(): { promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
const MEANT = { "x-holdfast": "1" };
async function login(headers: Record<string, string> = {}, password = PASSWORD) {
  const answer = await ask("/api/v1/session", {
    method: "POST",
    headers: { ...MEANT, ...headers },
    body: JSON.stringify({ password }),
  });
  const cookie = String(answer.headers["set-cookie"] ?? "");
  return { ...answer, cookie, pair: cookie.split(";")[0] ?? "" };
}

describe("passwords", () => {
  it("are checked whole, in the form they were typed", async () => {
    const hash = await hashPassword("pässword", "a");
    expect(hash).not.toContain("pässword");
    expect(await checkPassword("pa\u0308ssword", hash)).toBe(true);
    for (const wrong of ["pässwor", "pässword ", "", "x".repeat(5000)]) expect(await checkPassword(wrong, hash)).toBe(false);
    expect(await checkPassword("pässword", "")).toBe(false);
    expect(await hashPassword("pässword", "a")).toBe(hash);
    expect(await hashPassword("pässword", "b")).not.toBe(hash);
  });
});

describe("logging in, in start mode", () => {
  it("is needed for everything a person does, and says so", async () => {
    expect(JSON.parse((await ask("/api/v1/session")).text)).toEqual({
      mode: "start",
      authenticated: false,
      version: "0.0.0-test",
      environments: [],
    });
    for (const path of [
      "/api/v1/environments",
      "/api/v1/environments/dev/runs",
      "/api/v1/environments/dev/keys",
      "/api/v1/catalogue",
      "/api/v1/environments/dev/live",
    ]) {
      expect((await ask(path)).status).toBe(401);
    }
    expect((await ask("/healthz")).status).toBe(200);
  });

  it("shows the metrics to programs on this machine, and to others only with a key or a login", async () => {
    const statusFor = async (headers: Record<string, string>) => (await ask("/metrics", { headers })).status;
    expect(await statusFor({})).toBe(200);
    const passedOn = [
      { host: "jobs.example.com" },
      { "x-forwarded-for": "203.0.113.7" },
      { forwarded: "for=203.0.113.7" },
      { via: "1.1 proxy" },
      { "x-real-ip": "203.0.113.7" },
    ];
    const { pair } = await login();
    for (const headers of passedOn) {
      expect(await statusFor({ ...headers })).toBe(401);
      expect(await statusFor({ ...headers, authorization: "Bearer tr_prod_wrong" })).toBe(401);
      expect(await statusFor({ ...headers, authorization: `Bearer ${server.keys.prod.secretKey}` })).toBe(200);
      expect(await statusFor({ ...headers, cookie: pair })).toBe(200);
    }
    for (const path of ["/healthz", "/readyz"])
      expect((await ask(path, { headers: { host: "jobs.example.com" } })).status).toBe(200);
  });

  it("gives a cookie pages cannot read, which opens every environment", async () => {
    const { status, cookie, pair, text } = await login();
    expect([status, JSON.parse(text).authenticated]).toEqual([200, true]);
    expect(cookie).toMatch(/^holdfast=.+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    expect(text + cookie).not.toContain(PASSWORD);
    const environments = JSON.parse((await ask("/api/v1/environments", { headers: { cookie: pair } })).text);
    expect(environments.map(({ slug }: { slug: string }) => slug).sort()).toEqual(["dev", "prod"]);
    expect((await ask("/api/v1/environments/prod/runs", { headers: { cookie: pair } })).status).toBe(200);
  });

  /** A server on the same database, whose answers to what it reads of the settings come only then. */
  async function another(read: () => Promise<void> = async () => {}): Promise<Sessions> {
    const { catalog } = server.rooms.store;
    const late = {
      changeSetting: catalog.changeSetting.bind(catalog),
      setting: async (key: string) => {
        const value = await catalog.setting(key);
        await read();
        return value;
      },
    };
    const store = { ...server.rooms.store, catalog: late as unknown as typeof catalog };
    return new Sessions({ ...server.rooms, store, adminPasswordHash: await hashPassword(PASSWORD, "k") });
  }

  it("ends both sessions of which two servers hear at one moment, on every server", async () => {
    // Each has read what the other will change before either writes.
    const { promise: bothHaveRead, resolve } = promised();
    let reads = 0;
    const read = () => {
      reads += 1;
      if (reads === 2) resolve();
      return bothHaveRead;
    };
    const [here, there, third] = [await another(read), await another(read), await another()];
    const [ada, bo] = [await here.login(PASSWORD, "10.0.0.1"), await here.login(PASSWORD, "10.0.0.2")];
    await Promise.all([here.logout(ada), there.logout(bo)]);
    for (const session of [ada, bo]) expect(await third.holds(session)).toBe(false);
    expect(await third.holds(await third.login(PASSWORD, "10.0.0.3"))).toBe(true);
  });

  it("knows its own logout at once, though what it read meanwhile is older", async () => {
    const [begun, goOn] = [promised(), promised()];
    let reads = 0;
    const sessions = await another(() => {
      reads += 1;
      begun.resolve();
      return reads === 1 ? goOn.promise : Promise.resolve();
    });
    const mine = await sessions.login(PASSWORD, "10.0.0.4");
    const asked = sessions.holds(mine);
    await begun.promise;
    await sessions.logout(mine);
    goOn.resolve();
    expect([await asked, await sessions.holds(mine)]).toEqual([false, false]);
  });

  it("uses a __Host- cookie behind https", async () => {
    const { cookie } = await login({ "x-forwarded-proto": "https" });
    expect(cookie).toMatch(/^__Host-holdfast=.+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/);
  });

  it("lets changes through only from our own pages", async () => {
    const { pair } = await login();
    const rotate = (headers: Record<string, string>) =>
      ask("/api/v1/environments/prod/keys/rotate", { method: "POST", headers: { cookie: pair, ...headers } });
    expect((await rotate({})).status).toBe(403);
    expect((await rotate({ ...MEANT, origin: "https://evil.test" })).status).toBe(403);
    expect((await rotate({ ...MEANT, origin: "null" })).status).toBe(403);
    expect((await rotate({ ...MEANT, "sec-fetch-site": "cross-site" })).status).toBe(403);
    const keys = await rotate({ ...MEANT, origin: `http://127.0.0.1:${server.port}` });
    expect(keys.status).toBe(200);
    const { secretKey } = JSON.parse(keys.text);
    expect((await server.api("/api/v1/whoami", { key: secretKey })).json()).toMatchObject({ slug: "prod" });
    expect((await server.api("/api/v1/whoami", { key: server.keys.prod.secretKey })).status).toBe(401);
  });

  it("ends by logging out, by age and by a changed password; forged cookies open nothing", async () => {
    const { pair } = await login();
    const open = async (cookie: string) => (await ask("/api/v1/environments", { headers: { cookie } })).status;
    expect(await open(pair)).toBe(200);
    expect((await ask("/api/v1/session", { method: "DELETE", headers: { cookie: pair } })).status).toBe(403);
    await ask("/api/v1/session", { method: "DELETE", headers: { ...MEANT, cookie: pair } });
    expect(await open(pair)).toBe(401);
    for (const forged of ["holdfast=x", "holdfast=", `${pair}x`, `holdfast=${server.rooms.vault.seal("{}", "other")}`])
      expect(await open(forged)).toBe(401);
    server.clock.ahead += 60_000;
    const second = await login();
    server.clock.ahead += 15 * 24 * 3_600_000;
    expect(await open(second.pair)).toBe(401);
    const third = await login();
    const former = server.rooms.adminPasswordHash;
    server.rooms.adminPasswordHash = await hashPassword("another", "k");
    expect(await open(third.pair)).toBe(401);
    server.rooms.adminPasswordHash = former;
    expect(await open(third.pair)).toBe(200);
  });

  it("slows guessing down, without telling how close a guess was", async () => {
    server.clock.ahead += 3_600_000;
    // A password takes a while to check: on a busy machine the seconds of five guesses would earn another one.
    server.clock.stoppedAt = Date.now();
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++) statuses.push((await login({}, `guess ${i}`)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const late = await login();
    expect([late.status, late.headers["retry-after"]]).toEqual([429, "60"]);
    server.clock.ahead += 61_000;
    expect((await login()).status).toBe(200);
    server.clock.stoppedAt = null;
    expect((await ask("/api/v1/session", { method: "POST", body: JSON.stringify({ password: PASSWORD }) })).status).toBe(403);
  });

  it("lets an API key work in its own environment alone", async () => {
    const headers = { authorization: `Bearer ${server.keys.dev.secretKey}` };
    expect((await ask("/api/v1/environments/dev/runs", { headers })).status).toBe(200);
    expect((await ask("/api/v1/environments/prod/runs", { headers })).status).toBe(404);
    expect(JSON.parse((await ask("/api/v1/environments", { headers })).text)).toHaveLength(1);
  });
});

describe("the dashboard's files", () => {
  it("come with headers that shut everything foreign out", async () => {
    const page = await ask("/");
    expect([page.status, page.headers["content-type"], page.headers["cache-control"]]).toEqual([
      200,
      "text/html; charset=utf-8",
      "no-cache",
    ]);
    expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
    expect(page.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(page.headers["x-content-type-options"]).toBe("nosniff");
  });

  it("are the page for every path of the app, hashed files for ever, packed for who can unpack", async () => {
    expect((await ask("/runs/run_123?env=prod")).text).toContain("<title>Holdfast</title>");
    const asset = await ask("/assets/app-1a2b3c.js", { headers: { "accept-encoding": "gzip, br" } });
    expect([asset.headers["content-encoding"], asset.headers["cache-control"]]).toEqual([
      "gzip",
      "public, max-age=31536000, immutable",
    ]);
    expect(asset.bytes.length).toBeLessThan(500);
    for (const path of ["/assets/none.js", "/favicon.ico", "/robots.txt"]) expect((await ask(path)).status, path).toBe(404);
    expect((await ask("/jobs/odd.id")).text).toContain("<title>Holdfast</title>");
    expect((await ask("/", { method: "POST" })).status).toBe(405);
  });

  it("never reach outside their folder", async () => {
    for (const path of [
      "/../package.json",
      "/..%2fpackage.json",
      "/assets/..%2f..%2fetc/passwd",
      "//etc/passwd.txt",
      "/%2e%2e/%2e%2e/etc/hosts.txt",
    ]) {
      const answer = await ask(path);
      expect([404, 200]).toContain(answer.status);
      if (answer.status === 200) expect(answer.text).toContain("<title>Holdfast</title>");
    }
  });
});

describe("dev mode", () => {
  let dev: Fixture;
  beforeAll(async () => {
    dev = await startFixture({ mode: "dev" });
  });
  afterAll(() => dev.stop());

  it("needs no login on this machine's own names, and answers on no other", async () => {
    const status = async (headers: Record<string, string>, method = "GET") =>
      (await ask("/api/v1/environments/dev/runs", { method, headers }, dev.port)).status;
    expect(await status({})).toBe(200);
    for (const host of ["localhost:3040", "LOCALHOST", "app.localhost", "[::1]:3040", "127.0.0.1"])
      expect(await status({ host })).toBe(200);
    for (const host of ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "10.0.0.1", "169.254.169.254"])
      expect(await status({ host })).toBe(403);
  });

  it("refuses changes asked for by pages of other sites", async () => {
    const rotate = async (headers: Record<string, string>) =>
      (await ask("/api/v1/environments/dev/keys/rotate", { method: "POST", headers }, dev.port)).status;
    expect(await rotate({ origin: "https://evil.test" })).toBe(403);
    expect(await rotate({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await rotate({ origin: `http://localhost:${dev.port}`, host: `localhost:${dev.port}` })).toBe(200);
  });

  it("says that the dashboard is not built, and that there is no login", async () => {
    const page = await ask("/", {}, dev.port);
    expect([page.status, page.text]).toEqual([404, expect.stringContaining("npm run build")]);
    expect((await ask("/api/v1/session", { method: "POST", headers: MEANT, body: '{"password":"x"}' }, dev.port)).status).toBe(
      400,
    );
    expect(JSON.parse((await ask("/api/v1/session", {}, dev.port)).text)).toMatchObject({ mode: "dev", authenticated: true });
  });
});

it("nothing failed unexpectedly", () => expect(server.errors).toEqual([]));
