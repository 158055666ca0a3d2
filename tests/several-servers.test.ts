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
