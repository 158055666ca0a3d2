// The push transport: what the server may ask by HTTP, in v2's words, and executions whose reports go out by POST.
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type ExecutionOutcome, PUSH, type TaskReport, V2_VERSION } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { executionStart } from "../../test-kit/run-model.ts";
import { settled, VirtualRuntime } from "../../test-kit/virtual-runtime.ts";
import { TriggerClient } from "../client/client.ts";
import { eventTrigger } from "../triggers/event-trigger.ts";
import { SDK_VERSION } from "../version.ts";

const KEY = "tr_dev_abc";

function clientOf(runtime = new VirtualRuntime(), apiKey: string | undefined = KEY): TriggerClient {
  return new TriggerClient({ id: "my-app", apiKey, apiUrl: "http://server", runtime });
}

function request(action: string | null, init: RequestInit = {}): Request {
  const headers = new Headers({ "x-trigger-api-key": KEY, ...(action ? { "x-trigger-action": action } : {}) });
  new Headers(init.headers).forEach((value, name) => {
    headers.set(name, value);
  });
  return new Request("http://app/api/trigger", { method: "POST", ...init, headers });
}

const message = (text: string) => expect.objectContaining({ message: expect.stringContaining(text) });

describe("who calls, and what for", () => {
  it.each([
    ["no key on our side", clientOf(new VirtualRuntime(), ""), request("PING"), 401, "client missing apiKey"],
    ["no key sent", clientOf(), new Request("http://app/", { method: "POST" }), 401, "missing x-trigger-api-key header"],
    [
      "another key",
      clientOf(),
      request("PING", { headers: { "x-trigger-api-key": "tr_dev_abcd" } }),
      401,
      "Forbidden: client apiKey mismatch",
    ],
    ["not POST", clientOf(), request("PING", { method: "PUT" }), 405, "only POST is allowed"],
    ["no action", clientOf(), request(null), 400, "Missing x-trigger-action header"],
    ["an unknown action", clientOf(), request("EXECUTE_JOB"), 405, "Method not allowed"],
    ["a broken execution", clientOf(), request(PUSH.executeAction, { body: '{"token":1}' }), 400, "Invalid execution"],
    ["a delivery without headers", clientOf(), request(PUSH.verifyAction), 400, "Invalid headers"],
  ])("%s", async (_name, client, sent, status, text) => {
    expect(await client.handleRequest(sent)).toMatchObject({ status, body: message(text) });
  });

  it("checks the key first, then the method, then the action", async () => {
    const both = new Request("http://app/", { method: "PUT", headers: { "x-trigger-api-key": "wrong" } });
    expect((await clientOf().handleRequest(both)).status).toBe(401);
    expect((await clientOf().handleRequest(request(null, { method: "PUT" }))).status).toBe(405);
  });

  it("answers PING and VALIDATE with 200 either way, and names its versions", async () => {
    const ping = (id?: string) =>
      clientOf().handleRequest(request("PING", { headers: id ? { "x-trigger-endpoint-id": id } : {} }));
    expect(await ping("my-app")).toMatchObject({ status: 200, body: { ok: true } });
    expect(await ping()).toMatchObject({ status: 200, body: { ok: false, error: "Missing endpoint ID" } });
    expect(await ping("other")).toMatchObject({ body: { error: "Endpoint ID mismatch error. Expected my-app, got other" } });
    const validated = await clientOf().handleRequest(request("VALIDATE"));
    expect(validated).toMatchObject({ body: { ok: true, endpointId: "my-app" } });
    expect(validated.headers).toEqual({ "Trigger-Version": V2_VERSION, "Trigger-SDK-Version": SDK_VERSION });
  });

  it("probes by sleeping as long as asked", async () => {
    const runtime = new VirtualRuntime();
    let answered = false;
    const probed = clientOf(runtime).handleRequest(request("PROBE_EXECUTION_TIMEOUT", { body: '{"timeout":5000}' }));
    void probed.then(() => (answered = true));
    await settled();
    await runtime.advance(4999);
    expect(answered).toBe(false);
    await runtime.advance(1);
    expect(await probed).toMatchObject({ status: 200, body: { ok: true } });
  });
});

describe("deliveries", () => {
  const delivered = (action: string, body: BodyInit | null, method = "POST") =>
    request(action, {
      body,
      headers: {
        "x-ts-key": "hooks",
        "x-ts-http-url": "https://hooks.example/in?hub=1",
        "x-ts-http-method": method,
        "x-ts-http-headers": JSON.stringify({ "x-signature": "\u00fc", "content-type": "application/json" }),
      },
    });

  function hookClient() {
    const client = clientOf();
    client.defineHttpEndpoint({
      id: "hooks",
      source: "test",
      verify: async (sent) => {
        const seen = [sent.method, sent.url, sent.headers.get("x-signature"), await sent.text()];
        return { success: false, reason: seen.join(" ") };
      },
      respondWith: { handler: async (sent) => new Response(`hi ${await sent.text()}`, { status: 201, headers: { "x-a": "b" } }) },
    });
    return client;
  }

  it("are verified, exactly as received", async () => {
    const answer = await hookClient().handleRequest(delivered(PUSH.verifyAction, '{ "a" : 1 }'));
    expect(answer).toMatchObject({
      status: 200,
      body: { success: false, reason: 'POST https://hooks.example/in?hub=1 ü { "a" : 1 }' },
    });
  });

  it("are answered by respondWith, or by ok where there is none", async () => {
    const action = "DELIVER_HTTP_ENDPOINT_REQUEST_FOR_RESPONSE";
    expect(await hookClient().handleRequest(delivered(action, "you"))).toMatchObject({
      status: 200,
      body: { status: 201, body: "hi you", headers: { "x-a": "b" } },
    });
    expect(await hookClient().handleRequest(delivered(action, "you", "GET"))).toMatchObject({
      body: { status: 201, body: "hi " },
    });
    expect(await clientOf().handleRequest(delivered(action, "you"))).toMatchObject({ body: { status: 200, body: { ok: true } } });
    expect(await clientOf().handleRequest(delivered(PUSH.verifyAction, "you"))).toMatchObject({ status: 404 });
  });
});

describe("an execution", () => {
  function stepClient(runtime: VirtualRuntime) {
    const client = clientOf(runtime);
    client.defineJob({
      id: "job",
      name: "Job",
      version: "1.0.0",
      trigger: eventTrigger({ name: "n" }),
      run: async (payload, io) => {
        await io.logger.info("start");
        const doubled = await io.runTask("double", async () => payload.n * 2);
        await io.logger.info("end");
        return doubled;
      },
    });
    return client;
  }
  const start = executionStart({ event: { ...executionStart().event, payload: '{"n":4}' } });
  const run = (client: TriggerClient) => client.handleRequest(request(PUSH.executeAction, { body: JSON.stringify(start) }));

  it("reports by POST with the key, and answers with what is left and the outcome", async () => {
    const runtime = new VirtualRuntime();
    const posts: { url: string; init: RequestInit; items: TaskReport[] }[] = [];
    runtime.fetch = async (url, init) => {
      posts.push({ url, init, items: JSON.parse(String(init.body)).items });
      return Response.json({ ok: true });
    };
    const answer = await run(stepClient(runtime));
    expect(posts).toMatchObject([
      {
        url: "http://server/api/v1/executions/exe_1/reports",
        init: { method: "POST", headers: { authorization: `Bearer ${KEY}` } },
      },
    ]);
    expect(posts[0]?.items.map((item) => item.name)).toEqual(["log", "Task"]);
    const { items, outcome } = answer.body as { items: TaskReport[]; outcome: ExecutionOutcome };
    expect(answer.status).toBe(200);
    expect(items.map((item) => item.name)).toEqual(["log"]);
    expect(outcome).toEqual({ status: "SUCCESS", output: "8" });
  });

  it("that is stale answers 409 and stops", async () => {
    const runtime = new VirtualRuntime();
    runtime.fetch = async () => Response.json({}, { status: 409 });
    expect(await run(stepClient(runtime))).toMatchObject({ status: 409 });
  });

  it("is patient with a server that is away for a while; what it says of time stays true", async () => {
    const runtime = new VirtualRuntime();
    const answers = [
      new Error("refused"),
      new Response("", { status: 503, headers: { "retry-after": "7" } }),
      new Response("", { status: 500 }),
    ];
    const ages: number[] = [];
    runtime.fetch = async (_url, init) => {
      ages.push(JSON.parse(String(init.body)).items[1].startedAgo);
      const answer = answers.shift() ?? Response.json({});
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const answered = run(stepClient(runtime));
    await settled();
    for (let i = 0; i < 20; i++) await runtime.advance(1000);
    expect(await answered).toMatchObject({ status: 200, body: { outcome: { output: "8" } } });
    expect(ages).toHaveLength(4);
    expect(ages[0]).toBe(0);
    expect((ages[2] ?? 0) - (ages[1] ?? 0)).toBe(7000);
  });

  it("keeps its connections from report to report, also where an answer's head comes before its body", async () => {
    const connections = new Set<Socket>();
    const server = createServer((request, response) => {
      if (request.method === "POST") connections.add(request.socket);
      request.resume().on("end", () => {
        response.writeHead(200, { "content-type": "application/json", "content-length": 2 });
        response.flushHeaders();
        void settled().then(() => response.end("{}"));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new TriggerClient({ id: "my-app", apiKey: KEY, apiUrl });
    client.defineJob({
      id: "job",
      name: "Job",
      version: "1.0.0",
      trigger: eventTrigger({ name: "n" }),
      run: async (_payload, io) => {
        for (let i = 0; i < 20; i++) await io.runTask(`step ${i}`, async () => i);
      },
    });
    expect(await run(client)).toMatchObject({ status: 200, body: { outcome: { status: "SUCCESS" } } });
    expect(connections.size).toBeLessThanOrEqual(2);
    server.closeAllConnections();
    server.close();
  });

  it("is given up after 30 s without the server, and says so", async () => {
    const runtime = new VirtualRuntime();
    runtime.fetch = async () => Promise.reject(new Error("connect ECONNREFUSED"));
    const answered = run(stepClient(runtime));
    await settled();
    for (let i = 0; i < 40; i++) await runtime.advance(1000);
    expect(await answered).toMatchObject({ status: 500, body: message("ECONNREFUSED") });
  });

  it("gets a Request as payload, rebuilt from the bytes", async () => {
    const client = clientOf();
    const endpoint = client.defineHttpEndpoint({ id: "hooks", source: "test", verify: async () => ({ success: true }) });
    client.defineJob({
      id: "job",
      name: "Job",
      version: "1.0.0",
      trigger: endpoint.onRequest(),
      run: async (sent) => [sent.method, sent.url, sent.headers.get("x-a"), [...new Uint8Array(await sent.arrayBuffer())]],
    });
    const pushed = (payload: object) => {
      const event = { ...executionStart().event, payload: JSON.stringify(payload), payloadType: "REQUEST" as const };
      return client.handleRequest(request(PUSH.executeAction, { body: JSON.stringify(executionStart({ event })) }));
    };
    const base = { url: "https://x/y?z=1", headers: { "x-a": "b", "bad header": "x", "content-length": "99" }, rawBody: "AB" };
    const outputs = [
      await pushed({ ...base, method: "POST" }),
      await pushed({ ...base, method: "POST", bodyBase64: Buffer.from([0, 255]).toString("base64") }),
      await pushed({ ...base, method: "GET" }),
    ].map(({ body }) => JSON.parse((body as { outcome: { output: string } }).outcome.output));
    expect(outputs).toEqual([
      ["POST", "https://x/y?z=1", "b", [65, 66]],
      ["POST", "https://x/y?z=1", "b", [0, 255]],
      ["GET", "https://x/y?z=1", "b", []],
    ]);
  });
});

describe("handler", () => {
  it("is Request to Response, and tells people what the address is", async () => {
    const { handler } = clientOf();
    const page = await handler(new Request("http://app/api/trigger"));
    expect([page.status, await page.json()]).toMatchObject([200, { app: "my-app", jobs: 0 }]);
    expect(await (await handler(new Request("http://app/api/trigger", { method: "HEAD" }))).text()).toBe("");
    const answer = await handler(request("VALIDATE"));
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("trigger-sdk-version")).toBe(SDK_VERSION);
  });
});
