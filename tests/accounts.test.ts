// Accounts and credentials as users have them: an event is for an account, a resolver finds its credentials in every execution, and a run without them ends as UNRESOLVED_AUTH, or waits for the server to have them.
import type { JobInfo } from "@holdfast/protocol";
import { TriggerClient } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 30_000 };

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
});

interface Ended {
  status: string;
  output?: unknown;
}
const FINAL = ["SUCCESS", "FAILURE", "UNRESOLVED_AUTH", "INVALID_PAYLOAD"];

async function ended(id: string): Promise<Ended> {
  const look = async () => {
    const run = await server.api.call<Ended>("GET", `/api/v2/runs/${id}`);
    return FINAL.includes(run.status) ? { status: run.status, output: run.output } : null;
  };
  return until(look, { ...PATIENT, what: () => `the end of ${id}` });
}

const oauth = (account: string) => ({
  key: "speaker",
  auth: { type: "oauth2", accessToken: `token of ${account}`, additionalFields: { integration: "by-account", run: "some" } },
});

describe.each<Mounting>(["published", "ours", "ours-by-push"])("accounts, SDK %s", (mounting) => {
  test("each run has the credentials of its account, or says what is missing", { timeout: 90_000 }, async () => {
    const app = await startCopiedApp({ mounting, files: ["tests/published/accounts.ts"], env: server.appEnv });
    await server.api.knowsJob("act-without");
    const backend = new TriggerClient({ id: "backend", apiKey: DEV_KEY, apiUrl: server.url });
    const runFor = async (name: string, accountId?: string): Promise<Ended> => {
      const { id } = await backend.sendEvent({ name }, accountId ? { accountId } : {});
      const started = async () => (await server.api.call<{ runs: { id: string }[] }>("GET", `/api/v2/events/${id}`)).runs[0];
      return ended((await until(started, { ...PATIENT, what: () => "the run" })).id);
    };
    const own = { key: "own", auth: "its own" };
    expect(await runFor("accounts.act", "ada")).toEqual({
      status: "SUCCESS",
      output: { account: { id: "ada" }, said: [oauth("ada"), own], again: oauth("ada") },
    });
    const key = { key: "speaker", auth: { type: "apiKey", accessToken: "a key" } };
    expect(await runFor("accounts.act", "key")).toMatchObject({ status: "SUCCESS", output: { said: [key, own], again: key } });
    expect(await runFor("accounts.act")).toMatchObject({ status: "SUCCESS", output: { again: oauth("undefined") } });

    const missing = (id: string, error: RegExp) => ({
      status: "UNRESOLVED_AUTH",
      output: { speaker: { id, error: expect.stringMatching(error) } },
    });
    expect(await runFor("accounts.act", "nobody")).toEqual(missing("by-account", /by-account/));
    expect(await runFor("accounts.act", "broken")).toEqual(missing("by-account", /TypeError: no such account/));
    const { id: lacking } = await backend.sendEvent({ name: "accounts.without" });
    const [run] = (await server.api.call<{ runs: { id: string }[] }>("GET", `/api/v2/events/${lacking}`)).runs;
    await server.api.reaches(run?.id ?? "", "WAITING_ON_CONNECTIONS", PATIENT);

    const invoked = await backend.invokeJob("act-when-invoked", {}, { accountId: "bob" });
    expect(await ended(invoked.id)).toEqual({ status: "SUCCESS", output: { account: { id: "bob" }, said: oauth("bob") } });

    const jobs = await server.api.call<JobInfo[]>("GET", "/api/v1/environments/dev/jobs");
    const shown = (id: string) => jobs.find((job) => job.id === id)?.integrations.map(({ key, authSource }) => [key, authSource]);
    expect(shown("act")).toEqual([
      ["speaker", "RESOLVER"],
      ["own", "LOCAL"],
    ]);
    expect(shown("act-without")).toEqual([["speaker", "HOSTED"]]);
    await app.stop();
  });
});
