// `@holdfast/sdk/testing`: what a run starts with (payloads, requests, context, credentials), how v2's short form reads, and what matchers say.
import { createHmac } from "node:crypto";
import { expect, it, vi } from "vitest";
import { z } from "zod";
import {
  eventTrigger,
  type IO,
  intervalTrigger,
  invokeTrigger,
  Job,
  TriggerClient,
  type TriggerContext,
  type TriggerIntegration,
  verifyRequestSignature,
} from "../index.ts";
import { createJobTester, matchers, toHaveSucceeded } from "./index.ts";

const client = new TriggerClient({ id: "app" });
const tester = createJobTester();
const version = "1.0.0";

it("gives a payload as it travels, checked by the trigger's schema", async () => {
  const schema = z.object({ id: z.string(), born: z.coerce.date() });
  const trigger = eventTrigger({ name: "user.created", schema });
  const job = client.defineJob({ id: "user", name: "User", version, trigger, run: async ({ born }) => born.getFullYear() });
  expect((await tester.run(job, { id: "u", born: new Date("1815-12-10") })).output).toBe(1815);
  const wrong = await tester.run(job, { id: 7 } as never);
  expect([wrong.status, wrong.error?.name, wrong.executions]).toEqual(["INVALID_PAYLOAD", "InvalidPayload", 1]);
  expect(wrong.error?.message).toMatch(/^id: .*; born: /);
  const ticks = intervalTrigger({ seconds: 60 });
  const tick = client.defineJob({ id: "tick", name: "Tick", version, trigger: ticks, run: async ({ ts }) => ts.getTime() });
  expect((await tester.run(tick, { ts: new Date(60_000) })).output).toBe(60_000);
});

it("tells the job where and why it runs; a job of no client runs, too", async () => {
  const job = new Job({
    id: "context",
    name: "Context",
    version,
    trigger: eventTrigger({ name: ["a", "b"] }),
    run: async (_payload: unknown, _io: IO, ctx: TriggerContext) => ctx,
  });
  const options = { id: "evt_7", context: { c: 1 }, account: { id: "acme" }, source: { id: "s", metadata: { m: 1 } } };
  const now = new Date("2026-03-01T00:00:00.000Z");
  const run = await tester.run(job, {}, { ...options, now, isTest: true, environment: "PRODUCTION" });
  expect(run.output).toMatchObject({
    run: { id: "run_7", isTest: true, isRetry: false, startedAt: now.toISOString() },
    job: { id: "context", version },
    event: { id: "evt_7", name: "a", context: { c: 1 }, timestamp: now.toISOString() },
    environment: { type: "PRODUCTION" },
    account: { id: "acme" },
    source: { id: "s", metadata: { m: 1 } },
  });
});

it("has a request verified by its endpoint before anything runs", async () => {
  const endpoint = client.defineHttpEndpoint({
    id: "hooks",
    source: "hooks.test",
    verify: (request) => verifyRequestSignature({ request, headerName: "x-sig", secret: "s", algorithm: "sha256" }),
  });
  const seen: string[] = [];
  const run = async (request: Request) => {
    seen.push(request.method);
    return { body: await request.json(), sig: request.headers.get("x-sig")?.length };
  };
  const job = client.defineJob({ id: "hook", name: "Hook", version, trigger: endpoint.onRequest(), run });
  const body = '{"ü": 1}';
  const sig = createHmac("sha256", "s").update(body).digest("hex");
  const request = (signature: string) =>
    new Request("https://a.test/hook", { method: "POST", body, headers: { "x-sig": signature } });
  expect((await tester.run(job, request(sig))).output).toEqual({ body: { ü: 1 }, sig: 64 });
  const forged = tester.run(job, request("00"));
  await expect(forged).rejects.toMatchObject({ code: "INVALID_SIGNATURE", message: expect.stringContaining('"hooks" refuses') });
  expect(seen).toEqual(["POST"]);
  expect((await tester.run(job, request("00"), { isTest: true })).status).toBe("SUCCESS");
  await expect(tester.run(job, {} as never)).rejects.toThrow("runs for requests");
  await expect(tester.run({ ...job } as never, {})).rejects.toThrow("one of another copy of the SDK");
  const other = client.defineJob({ id: "plain", name: "Plain", version, trigger: invokeTrigger(), run: async () => {} });
  await expect(tester.run(other, request(sig))).rejects.toThrow("runs for no requests");
  const bytes = new Request("https://a.test/", { method: "PUT", body: new Uint8Array([255, 0]) });
  const raw = async (given: Request) => [...new Uint8Array(await given.arrayBuffer())];
  const byteJob = client.defineJob({ id: "bytes", name: "Bytes", version, trigger: endpoint.onRequest(), run: raw });
  expect((await tester.run(byteJob, bytes, { isTest: true })).output).toEqual([255, 0]);
});

/** An integration of v2's shape. */
const mail = (
  authSource: "LOCAL" | "HOSTED",
  token = "own",
): TriggerIntegration & { send: (key: string, to: string) => Promise<string> } => ({
  id: "mail",
  metadata: { id: "mail", name: "Mail" },
  authSource,
  cloneForRun: (io, _key, auth) => {
    const clone = mail(authSource, auth?.accessToken);
    clone.send = (key, to) => io.runTask(key, async () => `${to} by ${auth?.accessToken ?? "own"}`, { params: { to } });
    return clone;
  },
  send: async () => token,
});

it("resolves the credentials of integrations as the app does", async () => {
  const other = new TriggerClient({ id: "other" });
  const hosted = mail("HOSTED");
  const run = async (_: unknown, io: IO & { mail: typeof hosted }) => io.mail.send("mail", "ada");
  const options = { id: "mails", name: "Mails", version, trigger: invokeTrigger(), integrations: { mail: hosted }, run };
  const missing = await tester.run(other.defineJob(options), {});
  expect([missing.status, missing.error?.message]).toEqual([
    "UNRESOLVED_AUTH",
    expect.stringContaining("mail: This integration"),
  ]);
  const connections = { mail: { type: "oauth2", accessToken: "kept" } } as const;
  expect((await tester.run(other.defineJob({ ...options, id: "kept" }), {}, { connections })).output).toBe("ada by kept");
  const asks = async (_: unknown, io: IO) => [await io.getAuth("mail", "mail"), (await io.getAuth("none", "none")) === undefined];
  const asking = other.defineJob({ id: "asks", name: "Asks", version, trigger: invokeTrigger(), run: asks });
  expect((await tester.run(asking, {}, { connections })).output).toEqual([connections.mail, true]);
  const warned = vi.spyOn(console, "warn").mockReturnValue();
  other.defineAuthResolver(hosted, async (ctx) => ({ type: "apiKey", token: `key of ${ctx.account?.id}` }));
  expect((await tester.run(other.defineJob(options), {}, { account: { id: "acme" } })).output).toBe("ada by key of acme");
  expect(warned).toHaveBeenCalledOnce();
});

it("reads as v2's testing package did", async () => {
  const testJob = createJobTester(vi);
  const job = client.defineJob({
    id: "v2",
    name: "V2",
    version,
    trigger: eventTrigger({ name: "v2", schema: z.object({ to: z.string() }) }),
    integrations: { mail: mail("LOCAL") },
    run: async ({ to }, io) => {
      await io.wait("an hour", 3600);
      const sent = await io.mail.send("send", to);
      return io.runTask("twice", async () => [sent], { params: { sent } });
    },
  });
  const testRun = await testJob(job, { payload: { to: "ada" }, tasks: { send: { id: "m1" } }, env: "PRODUCTION" });
  expect.extend({ toHaveSucceeded });
  expect(toHaveSucceeded(testRun).pass).toBe(true);
  expect([testRun.status, testRun.output]).toEqual(["SUCCESS", [{ id: "m1" }]]);
  expect(testRun.tasks.send).toHaveBeenCalledOnce();
  expect(testRun.tasks.send).toHaveBeenCalledWith({ to: "ada" });
  expect(testRun.tasks.send).toHaveReturnedWith({ id: "m1" });
  expect(testRun.run.task("an hour")?.status).toBe("COMPLETED");
  const bare = await createJobTester()(job, { payload: { to: "ada" }, tasks: { send: () => new Error("refused") } });
  expect([bare.status, bare.error?.message]).toEqual(["FAILURE", "refused"]);
  expect((await testJob(job)).status).toBe("INVALID_PAYLOAD");
});

it("tells jobs how runs ended as a server would", async () => {
  const told: unknown[] = [];
  const job = client.defineJob({
    id: "told",
    name: "Told",
    version,
    trigger: invokeTrigger<{ ok: boolean }>(),
    run: async ({ ok }) => {
      if (!ok) throw new RangeError("no");
      return 1;
    },
    onSuccess: ({ output, invocation }) => told.push([output, invocation.payload, invocation.timestamp instanceof Date]),
    onFailure: ({ error, job: { id } }) => told.push([error.message, error.name, id]),
  });
  const good = (await tester.run(job, { ok: true })).notification;
  const bad = (await tester.run(job, { ok: false })).notification;
  if (good.ok) job.options.onSuccess?.(good);
  if (!bad.ok) job.options.onFailure?.(bad);
  expect(told).toEqual([
    [1, { ok: true }, true],
    ["no", "RangeError", "told"],
  ]);
});

it("says what it saw when a matcher does not fit", async () => {
  const job = client.defineJob({
    id: "says",
    name: "Says",
    version,
    trigger: invokeTrigger(),
    run: async (_, io) => {
      await io.runTask("first", async () => 1);
      await io.wait("w", 1);
      throw new Error("broken");
    },
  });
  const run = await tester.run(job, {});
  expect(matchers.toHaveSucceeded(run)).toMatchObject({ pass: false });
  expect(matchers.toHaveSucceeded(run).message()).toBe(
    'The run was expected to have succeeded; it is WAITING_TO_CONTINUE, waiting for "w".',
  );
  await run.toEnd();
  expect(matchers.toHaveFailed(run, "broken").message()).toBe(
    'The run was expected not to have failed with "broken"; it is FAILURE: broken.',
  );
  expect([matchers.toHaveFailed(run, "other").pass, matchers.toHaveFailed(run).pass]).toEqual([false, true]);
  expect(matchers.toHaveRunTask(run, "second").message()).toContain(
    "its tasks are first (COMPLETED), w (COMPLETED); it is FAILURE",
  );
});

it("a matcher that is given no run says so, also behind not", async () => {
  const forgotten = Promise.resolve();
  for (const given of [forgotten, undefined, null, 3, {}, { run: {} }]) {
    for (const matcher of Object.values(matchers)) {
      expect(() => matcher(given as never, "a")).toThrow(/This is no run.*await/s);
    }
  }
  expect(() => matchers.toHaveSucceeded(forgotten as never)).toThrow("Perhaps an `await` is missing");
});
