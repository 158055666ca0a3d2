// Projects in the style of v2 apps, before and after `holdfast migrate`: by alias and with --imports they compile against our packages in strict mode, start as they
// are, and run their jobs; the published React hooks, Next routes and integrations they name compile, too. The command and the server are the real ones.
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeProjects } from "./harness/dev.ts";
import { freePort } from "./harness/free-port.ts";
import { cleanUp, ROOT, startProgram } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";
import { typeErrors } from "./harness/typecheck.ts";
import { callCli, type Texts, writeFiles, writtenProject } from "./harness/written-project.ts";

const LONG = { timeout: 120_000 };
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
}, 90_000);
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeProjects();
});

/** An Express app: one client, jobs in files of their own, a test that mocks. */
const APP: Texts = {
  "package.json": `{
  "name": "orders",
  "scripts": { "dev": "tsx src/server.ts", "trigger": "npx @trigger.dev/cli@latest dev --port 8080" },
  "dependencies": { "@trigger.dev/express": "^2.3.18", "@trigger.dev/sdk": "^2.3.18", "express": "^4.18.2", "zod": "3.22.3" },
  "trigger.dev": { "endpointId": "orders" }
}
`,
  ".env": "TRIGGER_API_KEY=tr_dev_old\nTRIGGER_API_URL=https://api.trigger.dev\n",
  "src/trigger.ts": `import { TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({
  id: "orders",
  apiKey: process.env.TRIGGER_API_KEY,
  apiUrl: process.env["TRIGGER_API_URL"],
});
`,
  "src/jobs/order.ts": `import { eventTrigger, invokeTrigger, Job } from "@trigger.dev/sdk";
import type { IO, TriggerContext } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "../trigger";

const total = async (io: IO, ctx: TriggerContext, prices: number[]) =>
  io.runTask(["total", ctx.job.id], async () => prices.reduce((sum, price) => sum + price, 0), { name: "Total", icon: "sum" });

export const bill = client.defineJob({
  id: "bill",
  name: "Bill",
  version: "0.1.0",
  trigger: invokeTrigger({ schema: z.object({ amount: z.number() }) }),
  run: async (payload, io) => {
    await io.logger.info("Billing", { amount: payload.amount });
    return { billed: payload.amount };
  },
});

new Job({
  id: "order",
  name: "Order",
  version: "0.1.0",
  trigger: eventTrigger({ name: "order.placed", schema: z.object({ id: z.string(), prices: z.array(z.number()) }) }),
  run: async (payload, io, ctx) => {
    const amount = await total(io, ctx, payload.prices);
    const billed = await bill.invokeAndWaitForCompletion("bill", { amount });
    return { order: payload.id, amount, ok: billed.ok };
  },
}).attachToClient(client);
`,
  "src/server.ts": `import { createMiddleware } from "@trigger.dev/express";
import express from "express";
import { client } from "./trigger";
import "./jobs/order";

const app = express();
app.use(createMiddleware(client));
app.listen(Number(process.env.PORT), () => console.log("listening"));
`,
};

/** As \`npm install\` puts it after the alias was set. */
function installAlias(directory: string): void {
  mkdirSync(join(directory, "node_modules/@trigger.dev"), { recursive: true });
  symlinkSync(join(ROOT, "packages/sdk"), join(directory, "node_modules/@trigger.dev/sdk"), "dir");
}

test.each([
  { how: "by alias", words: [], names: "TRIGGER" },
  { how: "with --imports and --rename-env", words: ["--imports", "--rename-env"], names: "HOLDFAST" },
])("an Express app, $how: compiles, starts, and its jobs run", LONG, async ({ words, names }) => {
  const directory = writtenProject(APP);
  const migrated = await callCli(directory, "migrate", "--yes", ...words);
  expect(migrated).toEqual({ code: 0, output: expect.stringContaining("files written") });
  expect(migrated.output).not.toMatch(/^note/m);
  if (words.length === 0) installAlias(directory);
  expect(await typeErrors(directory)).toBe("");

  const port = await freePort();
  const found = { [`${names}_API_URL`]: server.url, [`${names}_API_KEY`]: DEV_KEY };
  const app = startProgram(["--import", "tsx", "src/server.ts"], { cwd: directory, env: { ...found, PORT: String(port) } });
  await app.says(/listening/);
  await server.api.post("/api/v1/endpoints", { id: "orders", url: `http://127.0.0.1:${port}/api/trigger` });
  const before = (await server.api.runsOf("order")).length;
  await server.api.send({ name: "order.placed", payload: { id: "o-1", prices: [1, 2, 39] } });
  const [run] = await server.api.settled("order", before + 1, { withinMs: 60_000 });
  expect(await server.api.run(run?.id ?? "")).toMatchObject({
    status: "SUCCESS",
    output: { order: "o-1", amount: 42, ok: true },
  });
  await app.stop();
  expect(await callCli(directory, "migrate", "--yes", ...words)).toEqual({
    code: 0,
    output: expect.stringContaining("Nothing to do."),
  });
});

/** A Next app: a route, a page that watches, a job with an integration. */
const NEXT: Texts = {
  "package.json": `{
  "dependencies": { "@trigger.dev/nextjs": "^2.3.18", "@trigger.dev/react": "^2.3.18", "@trigger.dev/resend": "^2.3.19", "@trigger.dev/sdk": "^2.3.19", "next": "14" }
}
`,
  "trigger.ts": `import { TriggerClient } from "@trigger.dev/sdk";
export const client = new TriggerClient({ id: "pages", apiKey: process.env.TRIGGER_API_KEY, apiUrl: process.env.TRIGGER_API_URL });
`,
  "jobs/mail.ts": `import { Resend } from "@trigger.dev/resend";
import { eventTrigger } from "@trigger.dev/sdk";
import { client } from "../trigger";

const resend = new Resend({ id: "resend", apiKey: process.env.RESEND_API_KEY! });

client.defineJob({
  id: "mail",
  name: "Mail",
  version: "1.0.0",
  trigger: eventTrigger({ name: "mail" }),
  integrations: { resend },
  run: async (payload, io) => {
    const status = await io.createStatus("sending", { label: "Sending", state: "loading" });
    await io.resend.sendEmail("send", { to: String(payload.to), subject: "Hello", text: "Hello", from: "we@example.com" });
    await status.update("sent", { state: "success" });
  },
});
`,
  "app/api/trigger/route.ts": `import { createAppRoute } from "@trigger.dev/nextjs";
import { client } from "../../../trigger";
import "../../../jobs/mail";

export const { POST, dynamic } = createAppRoute(client);
`,
  "pages/api/old.ts": `import { createPagesRoute } from "@trigger.dev/nextjs";
import { client } from "../../trigger";

const { handler, config } = createPagesRoute(client);
export { config };
export default handler;
`,
  "app/watch.tsx": `"use client";
import { TriggerProvider, useEventRunStatuses } from "@trigger.dev/react";

function Progress({ id }: { id: string }) {
  const { fetchStatus, error, statuses, run } = { ...useEventRunStatuses(id), ...useEventRunStatuses(id).data };
  if (fetchStatus === "fetching" || error) return null;
  return <ul>{statuses?.map((status) => <li key={status.key}>{status.label}: {run?.status}</li>)}</ul>;
}

export const Watch = ({ id }: { id: string }) => (
  <TriggerProvider publicApiKey={process.env.NEXT_PUBLIC_TRIGGER_PUBLIC_API_KEY ?? ""} apiUrl={process.env.NEXT_PUBLIC_TRIGGER_API_URL}>
    <Progress id={id} />
  </TriggerProvider>
);
`,
};

test("a Next app with React hooks and an integration compiles after it", LONG, async () => {
  const directory = writtenProject(NEXT);
  expect(await callCli(directory, "migrate", "--yes")).toEqual({ code: 0, output: expect.stringContaining("4 files written") });
  installAlias(directory);
  const resend = join(ROOT, "node_modules/@trigger.dev/resend");
  // With the override, npm gives it no SDK of its own.
  const filter = (path: string) => !path.startsWith(join(resend, "node_modules/@trigger.dev"));
  cpSync(resend, join(directory, "node_modules/@trigger.dev/resend"), { recursive: true, filter });
  const bundled = { module: "esnext", moduleResolution: "bundler", jsx: "react-jsx", types: ["node", "react"] };
  expect(await typeErrors(directory, bundled)).toBe("");
  writeFiles(directory, {
    "wrong.ts": 'import { createAppRoute } from "@trigger.dev/sdk/next";\ncreateAppRoute("no client");\n',
  });
  expect(await typeErrors(directory, bundled)).toMatch(/wrong\.ts.*TS2345/);
});
