// Room: connections. For tests: two servers on one store, a clock that can be set, and a provider that can be held.
import { indexDocumentSchema, type JobMetadata } from "@holdfast/protocol";
import type { FirstClaims } from "../dispatch/first-claim.ts";
import { RecentEvents } from "../dispatch/recent-events.ts";
import { Registry } from "../dispatch/registry.ts";
import { Events } from "../dispatch/send.ts";
import type { HttpOutcome, HttpRequest } from "../platform/http-client.ts";
import { createVault } from "../platform/secrets.ts";
import { realWorld, type World } from "../platform/world.ts";
import { Runs } from "../runs/change.ts";
import { LocalBus } from "../store/local-bus.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { claim, sampleEnvironment, sampleEvent, sampleIntake, sampleRun } from "../store/samples.conformance.ts";
import type { RunRow } from "../store/store.ts";
import { Connections } from "./connections.ts";

export const REFRESHING = { access_token: "one", refresh_token: "first", expires_in: 3600 };
export const MINUTE = 60_000;

export const START = 1_800_000_000_000;
const first: FirstClaims = { of: (plan) => ({ ...plan, stored: () => {}, dropped: () => {} }) };
const hosted = (...ids: string[]) =>
  Object.fromEntries(ids.map((id) => [id, { id, metadata: { id, name: id }, authSource: "HOSTED" }]));
export const JOB = indexDocumentSchema.shape.jobs.element.parse({
  id: "job",
  name: "Job",
  version: "1.0.0",
  event: { name: "e", title: "e", source: "s", icon: "i" },
  trigger: { type: "invoke" },
  enabled: true,
  integrations: { ...hosted("git"), local: { id: "l", metadata: { id: "l", name: "l" }, authSource: "LOCAL" } },
}) as JobMetadata;

/** Two servers on one store, a clock, and a provider that answers what it is told to. */
export async function scene() {
  const store = new MemoryStore();
  const vault = createVault("7f".repeat(32));
  const environment = sampleEnvironment();
  await store.catalog.saveEnvironment(environment);
  const provider = {
    asked: [] as URLSearchParams[],
    /** Requests to end tokens, and how they are answered. */
    ended: [] as { to: string; token: string }[],
    ends: async (): Promise<HttpOutcome> => ({ ok: true, status: 204, headers: {}, body: Buffer.alloc(0) }),
    answer: async (_form: URLSearchParams): Promise<object> => ({ access_token: "access" }),
  };
  const clock = { now: START };
  const fetch = async ({ url, method, headers, body }: HttpRequest): Promise<HttpOutcome> => {
    const form = new URLSearchParams(String(body));
    if (method === "DELETE" || form.has("token")) {
      const by = method === "DELETE" ? `${method} ${headers?.authorization} ` : `${form.get("token_type_hint")} `;
      provider.ended.push({ to: by + url, token: form.get("token") ?? JSON.parse(String(body)).access_token });
      return provider.ends();
    }
    provider.asked.push(form);
    const answer = await provider.answer(form);
    const status = "error" in answer ? 400 : 200;
    return { ok: true, status, headers: {}, body: Buffer.from(JSON.stringify(answer)) };
  };
  const lines: string[] = [];
  const real = realWorld({ log: { write: (line) => void lines.push(line) } });
  const world: World = { ...real, now: () => clock.now, fetch };
  const registry = new Registry(store.catalog, world, new LocalBus(() => {}));
  await registry.refresh();
  const runs = new Runs(world, store);
  const events = new Events({ world, registry, store, recent: new RecentEvents(), first });
  const server = () => new Connections({ world, registry, store, runs, events, vault, publicUrl: () => "https://here.example" });
  const servers = [server(), server()] as const;
  const owner = { environmentId: environment.id, integrationId: "git", accountId: null };
  const scopes = ["repo"];
  await servers[0].apps.save(environment.id, "git", { provider: "github", clientId: "me", clientSecret: "shh", scopes });
  const setOut = async (accountId: string | null = null) => {
    const link = new URL(servers[0].authorizations.link({ ...owner, accountId }, 600).url).searchParams.get("link") ?? "";
    const { url, browser } = await servers[1].authorizations.begin("git", link, undefined);
    return { state: new URL(url).searchParams.get("state") ?? "", browser };
  };
  const back = (way: { state: string; browser: string | undefined }) =>
    servers[0].finish({ ...way, code: "c", error: undefined, errorDescription: undefined, issuer: undefined });
  const connect = async (answer: object) => {
    provider.answer = async () => answer;
    return back(await setOut());
  };
  const executing = async (): Promise<{ run: RunRow; token: string }> => {
    const event = sampleEvent({ environmentId: environment.id });
    await store.intake(sampleIntake(event, [sampleRun(event, { createdAt: START })]));
    const [item] = (await claim(store, ["app_sample"], { now: START + 1e9 })).items;
    if (item?.kind !== "run") throw new Error("no run was claimed");
    return item;
  };
  return { store, servers, clock, provider, owner, setOut, back, connect, executing, runs, lines, environment };
}
