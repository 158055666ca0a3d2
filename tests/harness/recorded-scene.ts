// Tests: the scene of tests/interop.test.ts: a server, one app with all jobs, somebody outside, and between app and server the recorder.
import { createRequire } from "node:module";
import { join } from "node:path";
import type { RunDetail } from "@holdfast/protocol";
import { isFinalRunStatus } from "@holdfast/protocol";
import type { TriggerClient } from "@trigger.dev/sdk";
import { type Mounting, startCopiedApp } from "./copied-app.ts";
import { ROOT } from "./processes.ts";
import { Recorder } from "./recorder.ts";
import { DEV_KEY, TestServer } from "./server.ts";
import { Somebody } from "./somebody.ts";
import { until } from "./until.ts";

export const PATIENT = { withinMs: 60_000, everyMs: 250 };
/** Requests a second, and at once: far more than the jobs need. */
const RATE = "20:300";

/** The id of the app under test. */
export const APP = "sources";
const BY_HAND = { "x-by": "hand" };

/** What jobs ended with, by job: must be the same for each SDK. */
export type Results = Record<string, unknown>;

export class Scene {
  readonly results: Results = {};
  backend!: TriggerClient;

  private constructor(
    readonly mounting: Mounting,
    readonly recorder: Recorder,
    readonly server: TestServer,
    readonly somebody: Somebody,
  ) {}

  static async start(mounting: Mounting): Promise<Scene> {
    const [recorder, somebody] = await Promise.all([Recorder.start(), Somebody.start()]);
    const server = await TestServer.start({ env: { HOLDFAST_PUBLIC_URL: recorder.url, HOLDFAST_API_RATE_LIMIT: RATE } });
    recorder.target = server.url;
    const scene = new Scene(mounting, recorder, server, somebody);
    // By connect the app speaks with the server alone.
    const TRIGGER_API_URL = mounting === "ours" ? server.url : recorder.url;
    const env = { ...server.appEnv, TRIGGER_API_URL, NOTE_URL: somebody.url, VENDOR_URL: somebody.url };
    await startCopiedApp({ mounting, files: ["tests/published/interop.ts", "tests/published/sources.ts"], env });
    const sdk = mounting === "published" ? "tests/published/package.json" : "package.json";
    const { TriggerClient: Client } = await import(createRequire(join(ROOT, sdk)).resolve("@trigger.dev/sdk"));
    scene.backend = new Client({ id: "backend", apiKey: DEV_KEY, apiUrl: TRIGGER_API_URL });
    await server.api.knowsJob("asks-around");
    return scene;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.recorder.stop();
    this.somebody.stop();
  }

  /** Sends an event and keeps how the run of the job ended. */
  async run(name: string, payload: unknown, as = name): Promise<RunDetail> {
    const { id } = await this.backend.sendEvent({ name: `interop.${name}`, payload });
    return this.endOf(await this.startedBy(id), as);
  }
  async startedBy(event: string): Promise<string> {
    const look = async () => (await this.backend.getEvent(event)).runs[0];
    return (await until(look, { ...PATIENT, what: () => `a run of ${event}` })).id;
  }
  async endOf(id: string, as: string): Promise<RunDetail> {
    const look = async () => {
      const run = await this.server.api.run(id);
      return isFinalRunStatus(run.status) ? run : null;
    };
    const run = await until(look, { ...PATIENT, what: () => `the end of ${as}` });
    const { status, output, errorDetail } = run;
    const text = JSON.stringify({ status, output, error: errorDetail?.message });
    this.results[as] = JSON.parse(text.replace(/"hook":\d/, '"hook":0'));
    return run;
  }
  async newest(job: string, count: number): Promise<RunDetail> {
    const [run] = await this.server.api.settled(job, count, PATIENT);
    return this.endOf(run?.id ?? "", job);
  }

  /** Asks by hand, through the recorder. */
  ask(
    method: string,
    path: string,
    more: { key?: string; headers?: Record<string, string>; body?: object } = {},
  ): Promise<Response> {
    const headers = { authorization: `Bearer ${more.key ?? DEV_KEY}`, ...BY_HAND, ...more.headers };
    const json = { "content-type": "application/json" };
    const said = more.body ? { headers: { ...headers, ...json }, body: JSON.stringify(more.body) } : { headers };
    return fetch(this.recorder.url + path, { method, ...said });
  }
  /** The app is called as a server of v2 calls it. */
  async call(action: string, body: object): Promise<unknown> {
    const headers = { accept: "application/json", "content-type": "application/json", "x-trigger-api-key": DEV_KEY };
    const more = { "x-trigger-action": action, "x-trigger-version": "2023-09-29", ...BY_HAND };
    const asked = { method: "POST", headers: { ...headers, ...more }, body: JSON.stringify(body) };
    return (await fetch(this.recorder.appUrl(APP), asked)).json();
  }
}
