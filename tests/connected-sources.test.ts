// Sources of an integration whose credentials the server keeps: register jobs and handlers act as the developer or as the account they are for (`x-ts-auth`), each with its own token.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { DeliverySummary } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { Browser, CLIENT_ID, CLIENT_SECRET, OAuthProvider } from "./harness/oauth-provider.ts";
import { cleanUp } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const PATIENT = { withinMs: 30_000 };

/** Another service: keeps who made hooks where, and with which token. */
class Hooks {
  readonly made: { url: string; token: string }[] = [];
  url = "";
  readonly #server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.made.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.end();
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve()));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
  of(token: string | undefined, path: RegExp): Promise<string> {
    const look = () => this.made.find((hook) => hook.token === token && path.test(hook.url))?.url;
    return until(look, { ...PATIENT, what: () => `a hook in ${JSON.stringify(this.made)}` });
  }
}

const SOURCE = /\/api\/v1\/sources\/http\//;
const WEBHOOK = /\/api\/v1\/http-endpoints\//;

afterAll(async () => {
  await cleanUp();
  removeCopiedApps();
});

describe.each<Mounting>(["published", "ours", "ours-by-push"])("sources with connections, SDK %s", (mounting) => {
  let server: TestServer;
  const provider = new OAuthProvider();
  const hooks = new Hooks();

  beforeAll(async () => {
    await Promise.all([provider.start(), hooks.start()]);
    server = await TestServer.start();
    const env = { ...server.appEnv, HOOKS_URL: hooks.url };
    await startCopiedApp({ mounting, files: ["tests/published/connected-sources.ts"], env });
    const { authorizeUrl, tokenUrl } = provider;
    const app = { provider: "github", clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, scopes: ["hooks"] };
    await server.api.call("PUT", server.api.at("/integrations/service/app"), { ...app, authorizeUrl, tokenUrl });
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await provider.stop();
    hooks.stop();
  });

  /** Answers the token it is connected with. */
  const connect = async (accountId?: string): Promise<string> => {
    const { url } = await server.api.post<{ url: string }>(server.api.at("/integrations/service/links"), { accountId });
    expect((await new Browser().visit(url)).text).toContain("is connected");
    return provider.given.at(-1) ?? "";
  };
  const shown = (token: string) => ({ type: "oauth2", accessToken: `…${token.slice(-6)}`, scopes: ["hooks"] });
  const send = async (url: string, n: number) =>
    expect((await fetch(url, { method: "POST", body: JSON.stringify({ n }) })).status).toBe(200);
  const newest = async (job: string, count: number): Promise<unknown> => {
    const [run] = await server.api.settled(job, count, PATIENT);
    return (await server.api.run(run?.id ?? "")).output;
  };
  const verified = (count: number) =>
    until(
      async () => {
        const { items } = await server.api.get<{ items: DeliverySummary[] }>(server.api.at("/deliveries"));
        return items.filter(({ verdict }) => verdict === "verified").length >= count;
      },
      { ...PATIENT, what: () => `${count} verified deliveries` },
    );

  test("handlers and register jobs act with the connection they are for, and none with another's", {
    timeout: 120_000,
  }, async () => {
    // v2's types tell of a fourth argument, which its SDK never gave.
    const as = { of: "service", fourth: mounting !== "published" };
    // Until it is connected, the register runs wait.
    const own = await connect();
    const hook = await hooks.of(own, SOURCE);
    await server.api.settled("service.topic-http-own-service", 1, PATIENT);
    await send(hook, 1);
    expect(await newest("on-own", 1)).toEqual({ n: 1, auth: shown(own), ...as });

    // An account's registration waits for the account, and acts as it from then on.
    await server.api.runOnce("register", { name: "connected.register", payload: { accountId: "ada" } }, PATIENT);
    const registering = async () => {
      const [run] = await server.api.runsOf("register-dynamic-trigger-any");
      return run?.status === "WAITING_ON_CONNECTIONS" ? run : null;
    };
    await until(registering, { ...PATIENT, what: () => "the register run to wait for ada's connection" });
    const hers = await connect("ada");
    const herHook = await hooks.of(hers, SOURCE);
    await server.api.settled("register-dynamic-trigger-any", 1, PATIENT);
    await send(herHook, 2);
    expect(await newest("on-any", 1)).toEqual({ n: 2, auth: shown(hers), ...as, account: "ada" });

    // One that is not connected any more is asked without, and never with the developer's.
    await server.api.post(server.api.at("/integrations/service/disconnect"), { accountId: "ada" });
    await send(herHook, 3);
    expect(await newest("on-any", 2)).toEqual({ n: 3, of: "service", fourth: false, account: "ada" });

    // A webhook source's handlers have none, as on v2: only its register job.
    await send(await hooks.of(own, WEBHOOK), 4);
    expect(await newest("on-webhook", 1)).toEqual({ n: 4, knows: ["key", "params", "secret"] });
    await verified(4);
    const seen = JSON.stringify(await server.api.get(server.api.at("/deliveries"))) + server.program.output();
    for (const token of provider.given) expect(seen).not.toContain(token);
  });
});
