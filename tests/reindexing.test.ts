// Deployments of an app that is called, as v2's users have them: nothing registers the new one, its platform calls the hook.
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import type { AppInfo, JobInfo } from "@holdfast/protocol";
import { afterAll, expect, test } from "vitest";
import { copyApp, removeCopiedApps } from "./harness/copied-app.ts";
import { cleanUp, type Program } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

afterAll(async () => {
  await cleanUp();
  removeCopiedApps();
});

/** One address for whichever deployment serves at the moment. */
async function front() {
  let target = "";
  const server = createServer((request, response) => {
    const on = httpRequest(target, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    on.on("error", () => response.writeHead(502).end());
    request.pipe(on);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/trigger`;
  const serve = (to: string): void => {
    target = to;
  };
  return { url, serve, close: () => server.close() };
}

test("what a new deployment defines is known soon after its hook was called", { timeout: 90_000 }, async () => {
  const [server, platform] = await Promise.all([TestServer.start(), front()]);
  const deploy = copyApp({ mounting: "published", files: ["tests/published/scheduled.ts"], env: server.appEnv });
  const served = async (program: Program): Promise<void> => {
    const [, own = ""] = await program.says(/^at (\S+)$/m);
    platform.serve(own);
    await program.says(/^registered$/m);
  };
  await served(deploy({ PUBLIC_URL: platform.url }));
  const isEnabled = async () => {
    const jobs = await server.api.get<JobInfo[]>("/api/v1/environments/dev/jobs");
    return jobs.find(({ id }) => id === "every-two-seconds")?.enabled;
  };
  await until(async () => (await isEnabled()) === true, { what: () => "the job of the first deployment" });
  await served(deploy({ PUBLIC_URL: platform.url, IS_REGISTERED: "1", SCHEDULED: "off" }));
  const [app] = await server.api.get<AppInfo[]>("/api/v1/environments/dev/apps");
  expect(app?.indexHook).toMatch(/^\/api\/v1\/endpoints\/dev\/scheduled\/index\/[0-9a-f]{20}$/);
  const hook = `${server.url}${app?.indexHook}`;
  const wrong = await fetch(
    hook.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
    { method: "POST" },
  );
  expect([wrong.status, await wrong.json()]).toMatchObject([404, { code: "NOT_FOUND" }]);
  const body = JSON.stringify({ type: "deployment.succeeded" });
  const answer = await fetch(hook, { method: "POST", body, headers: { "content-type": "application/json" } });
  expect([answer.status, await answer.json()]).toEqual([200, { ok: true }]);
  await until(async () => (await isEnabled()) === false, { withinMs: 30_000, what: () => "the new deployment's job" });
  platform.close();
  await server.stop();
});
