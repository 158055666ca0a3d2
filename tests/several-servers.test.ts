// Two servers on one database, and apps that reach only one of them: a rolling deployment, and runs that come in at the other server.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startApp } from "./harness/apps.ts";
import { startDatabase } from "./harness/database.ts";
import { cleanUp, type Program } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 60_000 };
const LONG = { timeout: 180_000 };
let one: TestServer;
let two: TestServer;
beforeAll(async () => {
  const { url: databaseUrl } = await startDatabase();
  const env = { HOLDFAST_ENCRYPTION_KEY: randomBytes(32).toString("base64") };
  one = await TestServer.start({ databaseUrl, env });
  two = await TestServer.start({ databaseUrl, env });
}, 120_000);
afterAll(async () => {
  for (const server of [one, two]) await server.stop();
  await cleanUp();
});

async function deploy(on: TestServer, jobs: string): Promise<Program> {
  const app = startApp(on, "tests/harness/apps/deployed.ts", { JOBS: jobs });
  await app.says(/connected/);
  return app;
}

const at = async (server: TestServer, endpoint: string) =>
  (await one.api.endpointUrl(endpoint)).replace(/^https?:\/\/[^/]+/, server.url);

test(
  "an app that is connected to one server answers and verifies what arrives at the other while its sender waits",
  LONG,
  async () => {
    const app = await deploy(one, "order");
    await two.api.endpointUrl("asked");
    const asked = async (server: TestServer) => {
      const challenge = await fetch(`${await at(server, "asked")}?challenge=x`, { headers: { "x-key": "right" } });
      const verdicts = [];
      for (const key of ["right", "wrong"]) {
        const body = JSON.stringify({ text: `ä${"x".repeat(100_000)}` });
        const headers = { "content-type": "application/json", "x-key": key };
        verdicts.push((await fetch(await at(server, "asked"), { method: "POST", body, headers })).status);
      }
      return [challenge.status, await challenge.text(), ...verdicts];
    };
    const answered = [200, "the challenge", 200, 401];
    expect(await asked(one)).toEqual(answered);
    expect(await asked(two)).toEqual(answered);
    const reachable = async () => {
      const [app] = await two.api.get<{ reachable: boolean }[]>(two.api.at("/apps"));
      return app?.reachable;
    };
    expect(await reachable()).toBe(true);
    const many = await Promise.all(Array.from({ length: 40 }, () => asked(two)));
    expect(many).toEqual(many.map(() => answered));
    await app.stop();
    const since = performance.now();
    const challenge = await fetch(await at(two, "asked"));
    expect([challenge.status, performance.now() - since < 10_000], "nobody has it").toEqual([502, true]);
    expect(await reachable()).toBe(false);
  },
);

test(
  "a new deployment's jobs stay, whichever server its processes and the old one's dial, and which of them is restarted",
  LONG,
  async () => {
    const old = await deploy(one, "order");
    await one.api.knowsJob("order");
    const fresh = await deploy(two, "order,refund");
    for (const server of [one, two]) await server.api.knowsJob("refund");
    const refunded = async (by: TestServer) => {
      const { status, output } = await by.api.runOnce("refund", { name: "refund" }, PATIENT);
      expect([status, output]).toEqual(["SUCCESS", "order,refund"]);
    };
    await refunded(one);
    await one.kill();
    await one.start();
    const ordered = async () => (await one.api.runOnce("order", { name: "order" }, PATIENT)).output;
    await until(async () => (await ordered()) === "order", { what: () => "a run of the old process, which has dialled again" });
    await refunded(two);
    await two.stop();
    await two.start();
    await refunded(one);
    await refunded(two);
    await old.stop();
    await refunded(one);
    await fresh.stop();
  },
);
