// `holdfast start`, and what `dev` shares with it: server.json, ports, signals.
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { run } from "../program.ts";
import { writeServerFile } from "../settings/server-file.ts";
import { fakeServer } from "../testing/fake-server.ts";
import { type TestWorld, testWorld } from "../testing/test-world.ts";

const SECRETS = { HOLDFAST_ENCRYPTION_KEY: "key", HOLDFAST_ADMIN_PASSWORD: "password" };
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
function world(env: Record<string, string>): TestWorld {
  const made = testWorld({ env });
  undo.push(made.remove);
  return made;
}
const fileOf = (here: TestWorld) => join(here.cwd, ".holdfast", "server.json");

test.each(["HOLDFAST_ENCRYPTION_KEY", "HOLDFAST_ADMIN_PASSWORD"])(
  "refuses to run without %s and says how to make one",
  async (name) => {
    const server = fakeServer();
    const here = world({ ...SECRETS, [name]: "" });
    expect(await run(["start"], here, server.load)).toBe(2);
    expect(here.printed.err).toContain(`needs ${name}`);
    expect(here.printed.err).toContain("openssl rand -base64");
    expect(server.configs).toEqual([]);
  },
);

test("secrets are taken without the line break that ends the file they come from", async () => {
  const server = fakeServer();
  const here = world({ HOLDFAST_ENCRYPTION_KEY: "key\n", HOLDFAST_ADMIN_PASSWORD: " pass word \r\n" });
  const ended = run(["start", "--port", "0"], here, server.load);
  await here.until(() => here.printed.out);
  expect(server.configs[0]).toMatchObject({ encryptionKey: "key", adminPassword: " pass word " });
  here.raise("SIGTERM");
  await ended;
  const empty = world({ ...SECRETS, HOLDFAST_ADMIN_PASSWORD: "\n" });
  expect(await run(["start"], empty, server.load)).toBe(2);
});

test("runs until SIGTERM, with server.json while it does", async () => {
  const server = fakeServer();
  const env = {
    ...SECRETS,
    HOLDFAST_DEV_API_KEY: "tr_dev_given",
    HOLDFAST_PROD_API_KEY: "tr_prod_given",
    DATABASE_URL: "postgres://db",
  };
  const here = world(env);
  const ended = run(["start", "--port", "0", "--json"], here, server.load);
  await here.until(() => here.printed.out);
  const file = JSON.parse(readFileSync(fileOf(here), "utf8"));
  expect(JSON.parse(here.printed.out)).toEqual({ type: "ready", url: file.url, pid: here.pid });
  expect(file).toEqual({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), pid: here.pid, key: "tr_dev_fake" });
  expect(statSync(fileOf(here)).mode & 0o777).toBe(0o600);
  expect(server.configs[0]).toMatchObject({
    ...{
      mode: "start",
      host: "127.0.0.1",
      port: 0,
      dataDir: join(here.cwd, ".holdfast"),
      databaseUrl: "postgres://db",
      json: true,
    },
    ...{ encryptionKey: "key", adminPassword: "password", devApiKey: "tr_dev_given", prodApiKey: "tr_prod_given" },
  });
  here.raise("SIGTERM");
  expect(await ended).toBe(0);
  expect(existsSync(fileOf(here))).toBe(false);
  expect(server.running()).toBe(0);
});

test("a second server on the same data directory leaves the first one's server.json alone, and says so", async () => {
  const server = fakeServer();
  const here = world({ ...SECRETS, DATABASE_URL: "postgres://db" });
  const first = run(["start", "--port", "0"], here, server.load);
  await here.until(() => here.printed.out);
  const named = readFileSync(fileOf(here), "utf8");
  const other = { ...world({}), ...{ env: here.env, cwd: here.cwd, pid: here.pid } };
  const second = run(["start", "--port", "0"], other, server.load);
  await other.until(() => other.printed.out);
  expect(other.printed.err).toContain(`also the data directory of the server at ${JSON.parse(named).url}`);
  other.raise("SIGTERM");
  expect(await second).toBe(0);
  expect(readFileSync(fileOf(here), "utf8")).toBe(named);
  here.raise("SIGTERM");
  expect(await first).toBe(0);
  expect(existsSync(fileOf(here))).toBe(false);
});

test("a server.json left by one that was killed is replaced", async () => {
  const server = fakeServer();
  const here = world(SECRETS);
  writeServerFile(join(here.cwd, ".holdfast"), { url: "http://127.0.0.1:1", pid: here.pid, key: "tr_dev_dead" });
  const ended = run(["start", "--port", "0"], here, server.load);
  await here.until(() => here.printed.out);
  expect(JSON.parse(readFileSync(fileOf(here), "utf8")).key).toBe("tr_dev_fake");
  here.raise("SIGTERM");
  expect(await ended).toBe(0);
});

test("Ctrl-C stops it gracefully as interrupted; a second one leaves at once", async () => {
  const server = fakeServer();
  const here = world(SECRETS);
  let release = () => {};
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  const load = async () => {
    const entry = await server.load();
    const startServer: typeof entry.startServer = async (config) => {
      const running = await entry.startServer(config);
      return { ...running, stop: () => slow.then(running.stop) };
    };
    return { ...entry, startServer };
  };
  const ended = run(["start", "--port", "0"], here, load);
  await here.until(() => here.printed.out);
  here.raise("SIGINT");
  await here.until(() => here.printed.err.includes("Ctrl-C again"));
  expect(here.exits).toEqual([]);
  here.raise("SIGINT");
  expect(here.exits).toEqual([130]);
  release();
  expect(await ended).toBe(130);
});

test("a chosen port that is taken is refused with 1; nothing is started", async () => {
  const holder: Server = createServer();
  undo.push(() => new Promise((closed) => holder.close(closed)));
  await new Promise<void>((listening) => holder.listen(0, "127.0.0.1", listening));
  const { port } = holder.address() as { port: number };
  const server = fakeServer();
  const here = world(SECRETS);
  expect(await run(["start", "--port", String(port)], here, server.load)).toBe(1);
  expect(here.printed.err).toContain(`Port ${port} is taken`);
  expect(server.configs).toEqual([]);
});

test("a server that cannot start says why in its own words", async () => {
  const here = world(SECRETS);
  const error = Object.assign(new Error("The database does not answer."), {
    name: "UserFacingError",
    code: "DATABASE_UNREACHABLE",
    hint: "Start it.",
  });
  const load = async () => ({ ...(await fakeServer().load()), startServer: () => Promise.reject(error) });
  expect(await run(["start", "--port", "0"], here, load)).toBe(1);
  expect(here.printed.err).toBe("holdfast: The database does not answer. [DATABASE_UNREACHABLE]\n  Start it.\n");
  expect(existsSync(fileOf(here))).toBe(false);
});
