// Ten more of v2's integrations as published (OpenAI and Resend are in tests/integrations.test.ts; Shopify does not install): each asks its service with its credentials, gives what
// that answered, and shows the same tasks on the published SDK and on ours. A trigger of GitHub's registers its hook by itself; Replicate answers to a task's callback.
import { createHmac } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "../harness/copied-app.ts";
import { cleanUp, ROOT } from "../harness/processes.ts";
import { TestServer } from "../harness/server.ts";
import { shown, steady } from "../harness/shown.ts";
import { typeErrors } from "../harness/typecheck.ts";
import { Services } from "./played-services.ts";

const HOME = join(ROOT, "tests/v2-integrations");
const NAMES = ["airtable", "github", "linear", "plain", "replicate", "sendgrid", "slack", "stripe", "supabase", "typeform"];
const PATIENT = { withinMs: 30_000, everyMs: 200 };
const LONG = { timeout: 90_000 };

/** What each job comes to. */
const OUTPUTS: Record<string, unknown> = {
  airtable: { made: "rec1", names: ["a", "b"] },
  github: { number: 7, login: "ada" },
  linear: "Ada",
  plain: "Ada",
  sendgrid: "sent",
  slack: "1.2",
  stripe: { customer: "cus_1" },
  supabase: { rows: [{ id: 1, name: "Ada" }], organizations: ["Acme"] },
  typeform: ["Survey"],
};
const tasks = new Map<Mounting, Record<string, unknown>>();

afterAll(async () => {
  await cleanUp();
  removeCopiedApps();
});

describe.each<Mounting>(["published", "ours", "ours-by-push"])("v2's integrations, SDK %s", (mounting) => {
  let server: TestServer;
  let services: Services;
  const mine: Record<string, unknown> = {};

  beforeAll(async () => {
    tasks.set(mounting, mine);
    [server, services] = await Promise.all([TestServer.start(), Services.start()]);
    const NODE_OPTIONS = `--import=${pathToFileURL(join(HOME, "redirect.mjs"))}`;
    const env = { ...server.appEnv, SERVICES_URL: services.url, NODE_OPTIONS };
    await startCopiedApp({ mounting, files: ["tests/v2-integrations/on-services.ts"], env, home: HOME, integrations: NAMES });
    await server.api.knowsJob("typeform");
  }, 90_000);
  afterAll(async () => {
    await server.stop();
    services.stop();
  });

  const keep = async (job: string, id: string) => {
    const told = (await server.api.tasks(id)).map((task) => steady(JSON.stringify(shown(task))));
    expect(told.join()).not.toMatch(/[-_.]secret/);
    mine[job] = told.sort().map((text) => JSON.parse(text.replace(/127\.0\.0\.1:\d+[^"]*/g, "HERE")));
  };

  test.each(Object.keys(OUTPUTS))("%s", LONG, async (job) => {
    await server.api.post("/api/v1/events", { event: { name: `integrations.${job}` }, options: { accountId: "acme" } });
    const [run] = await server.api.settled(job, 1, PATIENT);
    const { status, output, errorDetail } = await server.api.run(run?.id ?? "");
    expect({ status, output }, JSON.stringify([errorDetail, services.asked.slice(-3)])).toEqual({
      status: "SUCCESS",
      output: OUTPUTS[job],
    });
    await keep(job, run?.id ?? "");
  });

  test("replicate: the service tells the task's callback", LONG, async () => {
    await server.api.send({ name: "integrations.replicate" });
    const { body } = await services.hears(/\/v1\/predictions$/);
    const prediction = { id: "p1", status: "succeeded", output: ["whale.png"], input: {}, version: "v1", urls: {} };
    await fetch((JSON.parse(body) as { webhook: string }).webhook, { method: "POST", body: JSON.stringify(prediction) });
    const [run] = await server.api.settled("replicate", 1, PATIENT);
    expect((await server.api.run(run?.id ?? "")).output).toEqual({ status: "succeeded", output: ["whale.png"] });
    await keep("replicate", run?.id ?? "");
  });

  // That nothing forged comes in is not asked here: this version of the integration does not await its own verification.
  test("github: the trigger registers its hook, and what comes there starts the job", LONG, async () => {
    const hook = await services.hears(/^POST .*\/hooks/);
    const { config, events } = JSON.parse(hook.body) as { config: { url: string; secret: string }; events: string[] };
    expect(events).toEqual(["issues"]);
    await server.api.settled("github.repo-http-acmeshop-github", 1, PATIENT);
    const send = (body: string) => {
      const signature = `sha256=${createHmac("sha256", config.secret).update(body).digest("hex")}`;
      const headers = {
        "content-type": "application/json",
        "x-github-event": "issues",
        "x-github-delivery": signature,
        "x-hub-signature-256": signature,
      };
      return fetch(config.url, { method: "POST", headers, body });
    };
    const body = (title: string, action = "opened") =>
      JSON.stringify({
        action,
        issue: { number: 9, title },
        repository: { full_name: "acme/shop", name: "shop", owner: { login: "acme" } },
        sender: { login: "ada" },
      });
    expect((await send(body("closed", "closed"))).status).toBe(200);
    expect((await send(body("real"))).status).toBe(200);
    const [run] = await server.api.settled("github-issue", 1, PATIENT);
    expect((await server.api.run(run?.id ?? "")).output).toEqual({ title: "real", comment: 11 });
    expect(await server.api.runsOf("github-issue")).toHaveLength(1);
    await keep("github-issue", run?.id ?? "");
  });

  test("each was shown its own credentials", () => {
    const by = Object.fromEntries(services.asked.map(({ what, authorization }) => [what.split("/")[1], authorization]));
    expect(by).toEqual({
      "api.airtable.com": "Bearer airtable-secret",
      "api.github.com": "token github-secret",
      "api.linear.app": "linear-secret",
      "api.replicate.com": "Token replicate-secret",
      "api.sendgrid.com": "Bearer SG.secret",
      "api.stripe.com": "Bearer sk_test_secret",
      "api.supabase.com": "Bearer sbp_secret",
      "api.typeform.com": "bearer typeform-secret",
      plain: "Bearer plain-secret",
      "slack.com": "Bearer xoxb-secret-of-acme",
      supabase: "Bearer supabase-secret",
    });
  });
});

test.each<Mounting>(["ours", "ours-by-push"])("the same tasks are shown on %s", (mounting) => {
  expect(Object.keys(tasks.get("published") ?? {})).toHaveLength(NAMES.length + 1);
  expect(tasks.get(mounting)).toEqual(tasks.get("published"));
});

test.each(["published", "ours"])("their types fit those of the SDK, %s", { timeout: 120_000 }, async (sdk) => {
  mkdirSync(join(HOME, ".work"), { recursive: true });
  const directory = mkdtempSync(join(HOME, ".work/types-"));
  try {
    copyFileSync(join(HOME, "on-services.ts"), join(directory, "on-services.ts"));
    // Under nodenext v2's integrations did not fit v2's own SDK: each has its types twice.
    const bundled = { module: "esnext", moduleResolution: "bundler" };
    const alias = { paths: { "@trigger.dev/sdk": [join(ROOT, "packages/sdk/dist/index.d.ts")] } };
    expect(await typeErrors(directory, sdk === "ours" ? { ...bundled, ...alias } : bundled)).toBe("");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
