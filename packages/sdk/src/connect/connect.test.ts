// The connect transport against a server's side that the test speaks for, over real sockets.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConnectServer } from "../../test-kit/connect-server.ts";
import { ConnectedApps, execute, KEY } from "../../test-kit/connected-apps.ts";
import { executionStart } from "../../test-kit/run-model.ts";
import type { TriggerClient } from "../client/client.ts";
import { eventTrigger } from "../triggers/event-trigger.ts";
import type { ConnectOptions } from "./connect.ts";

let apps: ConnectedApps;
let server: ConnectServer;

beforeEach(async () => {
  apps = await ConnectedApps.open();
  ({ server } = apps);
});
afterEach(() => apps.close());

const clientOf = (apiKey?: string) => apps.clientOf(apiKey);
const connect = (client: TriggerClient, options?: ConnectOptions) => apps.connect(client, options);
const steppingClient = () => apps.stepping();

describe("hello", () => {
  it("introduces the app with its key, index and concurrency, and is ready when welcomed", async () => {
    const { client } = steppingClient();
    expect(client.served).toBe(false);
    const connection = connect(client, { concurrency: 7 });
    const peer = await server.peer();
    const hello = await peer.next("hello");
    expect(peer.authorization).toBe(`Bearer ${KEY}`);
    expect(hello).toMatchObject({ protocol: 1, app: "my-app", concurrency: 7, index: { jobs: [{ id: "stepping" }] } });
    expect(client.served).toBe(true);
    const unwelcomed = await Promise.race([
      connection.ready.then(() => "ready"),
      new Promise((resolve) => setImmediate(resolve, "not yet")),
    ]);
    expect(unwelcomed).toBe("not yet");
    peer.send({ t: "welcome", server: "srv", environment: "dev" });
    await connection.ready;
  });

  it("refused by frame or by the upgrade's answer: ready rejects with the server's words, and nobody dials again", async () => {
    const byFrame = connect(clientOf());
    const peer = await server.peer();
    peer.send({ t: "refused", message: "Unknown key.", hint: "Copy it again." });
    await expect(byFrame.ready).rejects.toThrow("Unknown key. Copy it again.");
    await peer.closed;
    server.refusal = { status: 401, body: '{"error":"Invalid or Missing API key"}' };
    await expect(connect(clientOf()).ready).rejects.toThrow("Invalid or Missing API key");
    expect(server.upgrades).toBe(2);
  });

  it("is not even tried with a key that cannot be one", async () => {
    await expect(connect(clientOf("pk_dev_abc")).ready).rejects.toThrow("public key");
    await expect(connect(clientOf("tr_dev_a b")).ready).rejects.toThrow("does not have the form");
    expect(server.upgrades).toBe(0);
  });

  it("dialling again, says since when the server knows it, also once its jobs have changed", async () => {
    const client = clientOf();
    const hello = async (at: number) => {
      const peer = await server.peer();
      const { since } = await peer.next("hello");
      peer.send({ t: "welcome", server: "srv", environment: "dev", at });
      return { since, peer };
    };
    const connection = connect(client);
    const first = await hello(1000);
    await connection.ready;
    first.peer.socket.terminate();
    const second = await hello(2000);
    expect([first.since, second.since]).toEqual([undefined, 1000]);
    client.defineJob({ id: "new", name: "New", version: "1.0.0", trigger: eventTrigger({ name: "n" }), run: async () => {} });
    await second.peer.next("index");
    second.peer.socket.terminate();
    expect((await hello(3000)).since).toBe(1000);
  });

  it("tells definitions made later, those of one turn together", async () => {
    const client = clientOf();
    const connection = connect(client);
    const peer = await server.welcomed();
    await connection.ready;
    for (const id of ["a", "b"]) {
      client.defineJob({ id, name: id, version: "1.0.0", trigger: eventTrigger({ name: id }), run: async () => {} });
    }
    expect((await peer.next("index")).index.jobs.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(peer.frames).toEqual([]);
  });
});

describe("an execution", () => {
  it("reports each step, goes on when it is acknowledged, and tells its end", async () => {
    const { client, gate } = steppingClient();
    connect(client);
    const peer = await server.welcomed();
    execute(peer, "x1");
    const one = await peer.next("report");
    expect(one).toMatchObject({ x: "x1", items: [{ displayKey: "one", status: "COMPLETED", output: "1" }] });
    expect(gate.passed).toEqual([]);
    peer.send({ t: "ack", x: "x1", n: one.n });
    gate.open();
    const two = await peer.next("report");
    expect(gate.passed).toEqual(["one"]);
    peer.send({ t: "ack", x: "x1", n: two.n });
    expect(await peer.next("end")).toEqual({ t: "end", x: "x1", items: [], outcome: { status: "SUCCESS", output: "2" } });
  });

  it("runs beside others, each with its own acknowledgements", async () => {
    const { client, gate } = steppingClient();
    gate.open();
    connect(client);
    const peer = await server.welcomed();
    const tokens = Array.from({ length: 20 }, (_, i) => `x${i}`);
    for (const token of tokens) execute(peer, token);
    const first = await Promise.all(tokens.map(() => peer.next("report")));
    for (const { x, n } of first.reverse()) peer.send({ t: "ack", x, n });
    const second = await Promise.all(tokens.map(() => peer.next("report")));
    for (const { x, n } of second) peer.send({ t: "ack", x, n });
    const ends = await Promise.all(tokens.map(() => peer.next("end")));
    expect(ends.map(({ x }) => x).sort()).toEqual([...tokens].sort());
  });

  it("waits for all pages of its recorded tasks", async () => {
    const { client, gate } = steppingClient();
    gate.open();
    connect(client);
    const peer = await server.welcomed();
    execute(peer, "x1");
    const { items, n } = await peer.next("report");
    peer.send({ t: "ack", x: "x1", n });
    const two = await peer.next("report");
    const recorded = [...items, ...two.items].map(({ id, key, output }) => ({
      id,
      key,
      status: "COMPLETED" as const,
      attempts: 0,
      output: output ?? "",
    }));
    const start = executionStart({
      token: "x2",
      run: { ...executionStart().run, id: "run_x1" },
      job: { id: "stepping", version: "1.0.0" },
    });
    peer.send({ t: "execute", start, more: true });
    peer.send({ t: "tasks", x: "x2", tasks: recorded.slice(0, 1), last: false });
    peer.send({ t: "tasks", x: "x2", tasks: recorded.slice(1), last: true });
    expect(await peer.next("end")).toMatchObject({ x: "x2", items: [], outcome: { status: "SUCCESS", output: "2" } });
  });

  it("of a job the app does not have fails with words", async () => {
    connect(clientOf());
    const peer = await server.welcomed();
    execute(peer, "x1", "gone");
    expect(await peer.next("end")).toMatchObject({
      outcome: { status: "ERROR", error: { message: expect.stringContaining('"gone"') } },
    });
  });

  it("that went stale stops, and says nothing more", async () => {
    const { client, gate } = steppingClient();
    connect(client);
    const peer = await server.welcomed();
    execute(peer, "x1");
    await peer.next("report");
    peer.send({ t: "stale", x: "x1", reason: "superseded" });
    gate.open();
    execute(peer, "x2", "gone");
    await peer.next("end");
    expect(peer.frames).toEqual([]);
    expect(gate.passed).toEqual([]);
  });

  it("whose payload does not fit the schema says where", async () => {
    const client = clientOf();
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: async () => ({ issues: [{ message: "Expected number", path: ["user", { key: "age" }, 0] }] }),
      },
    };
    client.defineJob({
      id: "strict",
      name: "s",
      version: "1.0.0",
      trigger: eventTrigger({ name: "n", schema }),
      run: async () => {},
    });
    connect(client);
    const peer = await server.welcomed();
    execute(peer, "x1", "strict");
    expect((await peer.next("end")).outcome).toEqual({
      status: "INVALID_PAYLOAD",
      errors: [{ path: ["user", "age", 0], message: "Expected number" }],
    });
  });
});

describe("questions", () => {
  it("verify and respond are answered by the endpoint, with the request as it was", async () => {
    const client = clientOf();
    client.defineHttpEndpoint({
      id: "hooks",
      source: "test",
      verify: async (request) => ({
        success: (await request.text()) === "genuine",
        reason: request.headers.get("x-why") ?? "no",
      }),
      respondWith: {
        filter: { method: ["GET"] },
        handler: async (request, verify) =>
          new Response(`${new URL(request.url).search} ${(await verify()).success}`, { status: 202 }),
      },
    });
    connect(client);
    const peer = await server.welcomed();
    const request = { url: "http://x/hook?a=1", method: "POST", headers: { "x-why": "because" }, rawBody: "genuine" };
    peer.send({ t: "verify", n: 1, endpoint: "hooks", request });
    expect(await peer.next("reply")).toEqual({ t: "reply", n: 1, ok: true, value: { success: true } });
    peer.send({
      t: "verify",
      n: 2,
      endpoint: "hooks",
      request: { ...request, bodyBase64: Buffer.from([255]).toString("base64") },
    });
    expect(await peer.next("reply")).toEqual({ t: "reply", n: 2, ok: true, value: { success: false, reason: "because" } });
    peer.send({ t: "respond", n: 3, endpoint: "hooks", request: { ...request, method: "GET" } });
    expect(await peer.next("reply")).toMatchObject({ n: 3, ok: true, value: { status: 202, body: "?a=1 false" } });
    peer.send({ t: "verify", n: 4, endpoint: "other", request });
    expect(await peer.next("reply")).toMatchObject({ n: 4, ok: false, error: expect.stringContaining('"other"') });
  });

  it("a verify that throws refuses, with the message", async () => {
    const client = clientOf();
    const verify = async (): Promise<{ success: boolean }> => {
      throw new Error("no secret set");
    };
    client.defineHttpEndpoint({ id: "hooks", source: "test", verify });
    connect(client);
    const peer = await server.welcomed();
    peer.send({ t: "verify", n: 1, endpoint: "hooks", request: { url: "http://x/", method: "POST", headers: {}, rawBody: "" } });
    expect(await peer.next("reply")).toMatchObject({ ok: true, value: { success: false, reason: "no secret set" } });
  });
});

describe("a request that no Request can be made of", () => {
  it("is refused with the reason, not asked about for ever", async () => {
    const client = clientOf();
    client.defineHttpEndpoint({ id: "hooks", source: "test", verify: async () => ({ success: true }) });
    connect(client);
    const peer = await server.welcomed();
    peer.send({ t: "verify", n: 1, endpoint: "hooks", request: { url: "http://x/", method: "TRACE", headers: {}, rawBody: "" } });
    expect(await peer.next("reply")).toMatchObject({
      ok: true,
      value: { success: false, reason: expect.stringContaining("TRACE") },
    });
  });
});

it("a server that is not there yet is waited for", async () => {
  await server.close();
  const connection = connect(clientOf());
  const port = Number(new URL(apps.origin).port);
  server = new ConnectServer();
  await server.listen(port);
  await server.welcomed();
  await connection.ready;
  await server.close();
});

describe("close", () => {
  it("says leaving, lets running executions end, then disconnects", async () => {
    const { client, gate } = steppingClient();
    const connection = connect(client, { drainMs: 10_000 });
    const peer = await server.welcomed();
    execute(peer, "x1");
    const one = await peer.next("report");
    const closed = connection.close();
    await peer.next("leaving");
    peer.send({ t: "ack", x: "x1", n: one.n });
    gate.open();
    const two = await peer.next("report");
    peer.send({ t: "ack", x: "x1", n: two.n });
    await peer.next("end");
    peer.send({ t: "ended", x: "x1" });
    await closed;
    await peer.closed;
  });

  it("does not wait for ever", async () => {
    const { client } = steppingClient();
    const connection = connect(client, { drainMs: 20 });
    const peer = await server.welcomed();
    execute(peer, "x1");
    await peer.next("report");
    await connection.close();
    await peer.closed;
  });

  it("before the welcome rejects ready", async () => {
    const connection = connect(clientOf());
    await connection.close();
    await expect(connection.ready).rejects.toThrow("before it was connected");
  });
});
