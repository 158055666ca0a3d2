// Integrations made with defineIntegration over services' own SDKs, on a real server: a call that is put off waits as long as the service says, one that cannot
// succeed fails at once, and one that is recorded is never made again. A server of the test plays the services.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunDetail } from "@holdfast/protocol";
import { defineIntegration, eventTrigger, type Integration, type JobIO, TriggerClient } from "@holdfast/sdk";
import { request as octokit } from "@octokit/request";
import OpenAI from "openai";
import type { Resend } from "resend";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { cleanUp } from "../harness/processes.ts";
import { DEV_KEY, TestServer } from "../harness/server.ts";

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: object;
}
/** What comes first at each path; what follows is a 200. */
const firstAnswers: Record<string, () => Answer[]> = {
  "/openai/chat/completions": () => [
    { status: 429, headers: { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "3s" } },
  ],
  "/github/user": () => [
    {
      status: 403,
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 3) },
      body: { message: "API rate limit exceeded" },
    },
  ],
  "/emails": () => [{ status: 429, body: { name: "rate_limit_exceeded", message: "Too many requests", statusCode: 429 } }],
  "/seconds": () => [{ status: 429, headers: { "retry-after": "3" } }],
  "/date": () => [{ status: 503, headers: { "retry-after": new Date(Date.now() + 4000).toUTCString() } }],
  "/broken": () => [{ status: 500 }, { status: 502 }],
  "/missing": () => [{ status: 404 }],
};
const bodies: Record<string, object> = {
  "/openai/chat/completions": { choices: [{ index: 0, message: { role: "assistant", content: "Hello!" } }] },
  "/github/user": { login: "ada" },
  "/emails": { id: "mail_1" },
};

interface Call {
  path: string;
  at: number;
  key: string | undefined;
}
const calls: Call[] = [];
const left = new Map(Object.entries(firstAnswers).map(([path, answers]) => [path, { answers, given: 0 }]));

function answerAt(path: string): Answer {
  const entry = left.get(path);
  const first = entry?.answers()[entry.given++];
  return first ?? { body: bodies[path] ?? { fine: true } };
}

let server: TestServer;
let services: Server;
let url = "";
let client: TriggerClient;
let connected: ReturnType<TriggerClient["connect"]>;
/** How often each integration made its client. */
const made: Record<string, number> = {};
const counted = <T>(name: string, value: T): T => {
  made[name] = (made[name] ?? 0) + 1;
  return value;
};

/** A service without an SDK: a function that throws what is no 2xx. */
async function plainCall(path: string, key = "none"): Promise<{ fine: boolean }> {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok)
    throw Object.assign(new Error(`${path} answered ${response.status}`), response, {
      status: response.status,
      headers: response.headers,
    });
  return response.json() as Promise<{ fine: boolean }>;
}

const openai = defineIntegration({
  id: "openai",
  client: () => counted("openai", new OpenAI({ apiKey: "sk-secret", baseURL: `${url}/openai`, maxRetries: 0 })),
});
const github = defineIntegration({ id: "github", client: () => octokit.defaults({ baseUrl: `${url}/github` }) });
const plain = defineIntegration({ id: "plain-calls", name: "Plain calls", icon: "world", client: () => plainCall });
const keyless = defineIntegration({
  id: "keyless",
  client: (): typeof plainCall => {
    throw new Error("KEY is not set");
  },
});
const perAccount = defineIntegration({
  id: "per-account",
  authSource: "HOSTED",
  client: (auth) => (path: string) => plainCall(path, auth?.accessToken),
});

beforeAll(async () => {
  services = createServer((request, response) => {
    const path = request.url ?? "";
    request.resume().on("end", () => {
      calls.push({ path, at: performance.now(), key: request.headers.authorization });
      const { status = 200, headers = {}, body = {} } = answerAt(path);
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => services.listen(0, "127.0.0.1", () => resolve()));
  url = `http://127.0.0.1:${(services.address() as AddressInfo).port}`;
  process.env.RESEND_BASE_URL = url;
  const { Resend } = await import("resend");
  server = await TestServer.start();
  client = new TriggerClient({ id: "integrations", apiKey: DEV_KEY, apiUrl: server.url });
  define(defineIntegration({ id: "resend", client: () => new Resend("re-secret") }));
  client.defineAuthResolver(perAccount, async (ctx) => ({ type: "apiKey", token: `key-of-${ctx.account?.id}` }));
  connected = client.connect();
  await connected.ready;
}, 120_000);
afterAll(async () => {
  await connected?.close();
  await server?.stop();
  services?.close();
  services?.closeAllConnections();
  await cleanUp();
});

type Io = JobIO<ReturnType<typeof jobOf>>;
let resend: Integration<Resend>;
const integrations = () => ({ openai, github, plain, keyless, perAccount, resend });

/** A job that makes one call, waits, and so is executed twice. */
function jobOf(name: string, run: (io: Io) => Promise<unknown>) {
  return client.defineJob({
    id: name,
    name,
    version: "1.0.0",
    trigger: eventTrigger({ name }),
    integrations: integrations(),
    run: async (_payload, io): Promise<unknown> => {
      const output = await run(io);
      await io.wait("and come back", 1);
      return output;
    },
  });
}

function define(mails: Integration<Resend>): void {
  resend = mails;
  const messages = [{ role: "user" as const, content: "Say hello" }];
  jobOf("openai", async (io) => {
    const answer = await io.openai.runTask("ask", (ai) => ai.chat.completions.create({ model: "gpt-5", messages }), {
      name: "Ask",
      params: { messages },
    });
    expectTypeOf(answer).toExtend<OpenAI.ChatCompletion>();
    return answer.choices[0]?.message.content;
  });
  jobOf("github", async (io) => (await io.github.runTask("who", async (request) => (await request("GET /user")).data)).login);
  const letter = { from: "a@b.example", to: "c@d.example", subject: "Hello", text: "Hello!" };
  jobOf("resend", async (io) => (await io.resend.runTask("mail", (mail) => mail.emails.send(letter))).data);
  for (const path of ["seconds", "date", "broken", "missing"]) {
    jobOf(path, (io) => io.plain.runTask(path, (call) => call(`/${path}`)));
  }
  jobOf("keyless", (io) => io.keyless.runTask("call", (call) => call("/never")));
  jobOf("own-rule", (io) =>
    io.plain.runTask(
      "call",
      (call) => call("/missing-for-now"),
      { retry: { limit: 3 } },
      (error) => ((error as { status?: number }).status === 404 ? { retryInMs: 10 } : undefined),
    ),
  );
  jobOf("account", (io) => io.perAccount.runTask("call", (call) => call("/account")));
}

const ran = (name: string): Promise<RunDetail> => server.api.runOnce(name, { name }, { withinMs: 45_000 });
const callsAt = (path: string): Call[] => calls.filter((call) => call.path === path);
const pauseAt = (path: string): number => {
  const [first, second] = callsAt(path);
  return (second?.at ?? Number.NaN) - (first?.at ?? Number.NaN);
};
const LONG = { timeout: 60_000 };

describe.concurrent("a call that is put off", () => {
  test("waits as OpenAI's duration says, and is shown as its service's", LONG, async () => {
    const run = await ran("openai");
    expect([run.status, run.output]).toEqual(["SUCCESS", "Hello!"]);
    expect(pauseAt("/openai/chat/completions")).toBeGreaterThanOrEqual(3000);
    expect(callsAt("/openai/chat/completions")).toHaveLength(2);
    const task = (await server.api.tasks(run.id)).find(({ name }) => name === "Ask");
    expect(task).toMatchObject({ icon: "openai", attempts: 2, status: "COMPLETED", params: { messages: [{ role: "user" }] } });
    // Executions after the wait have the answer from the record, and no client.
    expect(made.openai).toBe(2);
  });

  test("waits until GitHub's moment", LONG, async () => {
    expect((await ran("github")).output).toBe("ada");
    expect(pauseAt("/github/user")).toBeGreaterThanOrEqual(2900);
    expect(callsAt("/github/user")).toHaveLength(2);
  });

  test("is tried again when the SDK gives its error back instead of throwing it", LONG, async () => {
    expect((await ran("resend")).output).toEqual({ id: "mail_1" });
    expect(pauseAt("/emails")).toBeGreaterThanOrEqual(490);
    expect(callsAt("/emails").map(({ key }) => key)).toEqual(["Bearer re-secret", "Bearer re-secret"]);
  });

  test.each(["seconds", "date"])("waits as any service's retry-after says: %s", LONG, async (path) => {
    expect((await ran(path)).output).toEqual({ fine: true });
    expect(pauseAt(`/${path}`)).toBeGreaterThanOrEqual(2990);
    expect(callsAt(`/${path}`)).toHaveLength(2);
  });

  test("backs off after errors of theirs", LONG, async () => {
    expect((await ran("broken")).output).toEqual({ fine: true });
    const [first, second, third] = callsAt("/broken").map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(490);
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(490);
    expect(callsAt("/broken")).toHaveLength(3);
  });
});

describe.concurrent("a call that cannot succeed", () => {
  test("fails at once", LONG, async () => {
    const run = await ran("missing");
    expect([run.status, run.error]).toEqual(["FAILURE", expect.stringContaining("/missing answered 404")]);
    expect(callsAt("/missing")).toHaveLength(1);
  });

  test("so does one whose client cannot be made", LONG, async () => {
    const run = await ran("keyless");
    expect([run.status, run.error]).toEqual(["FAILURE", expect.stringContaining("KEY is not set")]);
    expect((await server.api.tasks(run.id)).map(({ attempts }) => attempts)).toEqual([1]);
  });
});

describe.concurrent("credentials and answers of one's own", () => {
  test("a resolver gives each run its account's credentials", LONG, async () => {
    await server.api.post("/api/v1/events", { event: { name: "account" }, options: { accountId: "a1" } });
    const [run] = await server.api.settled("account", 1, { withinMs: 45_000 });
    expect(run?.status).toBe("SUCCESS");
    expect(callsAt("/account").map(({ key }) => key)).toEqual(["Bearer key-of-a1"]);
    expect(JSON.stringify(await server.api.tasks(run?.id ?? ""))).not.toContain("key-of-a1");
  });

  test("what the program says of an error comes before the service's rules", LONG, async () => {
    left.set("/missing-for-now", { answers: () => [{ status: 404 }], given: 0 });
    expect((await ran("own-rule")).output).toEqual({ fine: true });
    expect(callsAt("/missing-for-now")).toHaveLength(2);
  });
});

test("what is wrong with one is said where it is made or used", () => {
  expect(() => defineIntegration({ id: "x", vendor: "nobody" as never, client: () => 1 })).toThrow(/"nobody" is no vendor .*/);
  expect(() => openai.runTask("a", async () => 1)).toThrow(/outside of a run/);
});
