// One suite over every adapter: the bytes of a body, methods, errors, keys, parsers in the way. Each in its real framework where that can be had without
// a build; the routes of Next, Remix, Astro and SvelteKit are called as those call them.
// Repeat with `npx vitest run tests/adapters`.
import { createHash, randomBytes } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { PUSH, V2_VERSION } from "@holdfast/protocol";
import { TriggerClient } from "@holdfast/sdk";
import { createAstroRoute } from "@holdfast/sdk/astro";
import { createMiddleware as expressMiddleware, serve as expressServe } from "@holdfast/sdk/express";
import { holdfast as fastifyPlugin } from "@holdfast/sdk/fastify";
import { createMiddleware as honoMiddleware, serve as honoServe } from "@holdfast/sdk/hono";
import { createAppRoute, createPagesRoute } from "@holdfast/sdk/next";
import { createNodeHandler } from "@holdfast/sdk/node";
import { createRemixRoute } from "@holdfast/sdk/remix";
import { createSvelteRoute } from "@holdfast/sdk/sveltekit";
import { serve as serveHono } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { defineEcho, KEY } from "./echo.ts";
import { clientOfContext, startNest, startNestTesting } from "./nest-app.ts";

const PATH = "/api/trigger";

const echoClient = (): TriggerClient => defineEcho(new TriggerClient({ id: "adapters", apiKey: KEY }));

interface Running {
  origin: string;
  stop(): Promise<void>;
}

function running(server: Server): Promise<Running> {
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new Promise((resolve) => {
    if (server.listening) resolve({ origin: origin(), stop });
    else server.once("listening", () => resolve({ origin: origin(), stop }));
  });
}

const listen = (listener: RequestListener) => running(createServer(listener).listen(0, "127.0.0.1"));

/** A Node server over a function from Request to Response, as Next's app router calls it. */
function webServer(routes: Record<string, ((request: Request) => Promise<Response>) | undefined>): RequestListener {
  return async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const headers = request.headers as Record<string, string>;
    const route = routes[request.method ?? ""];
    const url = `http://127.0.0.1${request.url}`;
    const answer = route
      ? await route(new Request(url, { method: request.method ?? "GET", headers, ...(body.length > 0 ? { body } : {}) }))
      : new Response(null, { status: 405 });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
}

/** Remix, Astro and SvelteKit hand the request over inside a context. */
const withContext = (route: (context: { request: Request }) => Promise<Response>) => (request: Request) => route({ request });

const frameworks: Record<string, () => Promise<Running>> = {
  "node:http": () => listen(createNodeHandler(echoClient())),
  "express middleware": async () => listen(express().use(expressMiddleware(echoClient()))),
  "express serve": async () => listen(express().use(PATH, expressServe(echoClient()))),
  "express after a raw parser": async () =>
    listen(express().use(express.raw({ type: "*/*", limit: "20mb" }), expressMiddleware(echoClient()))),
  "express after json keeping rawBody": async () => {
    const keep = (request: object, _response: unknown, bytes: Buffer) => void Object.assign(request, { rawBody: bytes });
    return listen(express().use(express.json({ verify: keep, limit: "20mb" }), expressMiddleware(echoClient())));
  },
  fastify: async () => {
    const app = Fastify({ bodyLimit: 1000 });
    await app.register(fastifyPlugin(echoClient()));
    app.post("/other", async (request) => request.body);
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { origin: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, stop: () => app.close() };
  },
  "hono serve": async () => {
    const app = new Hono().all(PATH, honoServe(echoClient()));
    return running(serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server);
  },
  "hono middleware": async () => {
    const app = new Hono().use(honoMiddleware(echoClient()));
    return running(serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server);
  },
  "next app route": async () => {
    const { POST, GET, HEAD } = createAppRoute(echoClient());
    return listen(webServer({ POST, GET, HEAD }));
  },
  "remix route": async () => {
    const { action, loader } = createRemixRoute(echoClient());
    const [post, read] = [withContext(action), withContext(loader)];
    return listen(webServer({ POST: post, GET: read, HEAD: read }));
  },
  "astro route": async () => {
    const { POST, GET, HEAD } = createAstroRoute(echoClient());
    return listen(webServer({ POST: withContext(POST), GET: withContext(GET), HEAD: withContext(HEAD) }));
  },
  "sveltekit route": async () => {
    const { POST, GET, HEAD } = createSvelteRoute(echoClient());
    return listen(webServer({ POST: withContext(POST), GET: withContext(GET), HEAD: withContext(HEAD) }));
  },
  "nestjs on express": () => startNest({ platform: "express" }),
  "nestjs on fastify": () => startNest({ platform: "fastify" }),
  "next pages route": async () => listen(createPagesRoute(echoClient()).handler),
};

const bodies: Record<string, Buffer> = {
  empty: Buffer.alloc(0),
  "JSON with odd spacing": Buffer.from('{ "b" : 1.0,\n\t"a":"\\u00e9" }'),
  form: Buffer.from("a=1&b=%20x&b=2"),
  "text beyond ASCII": Buffer.from("Grüße, 世界 🙂"),
  "bytes that are no text": Buffer.from([0, 255, 254, 10, 13, 0, 128, 200]),
  "5 MB": randomBytes(5 * 1024 * 1024),
};

describe.each(Object.keys(frameworks))("%s", (name) => {
  let app: Running;
  beforeAll(async () => {
    app = await (frameworks[name] as () => Promise<Running>)();
  });
  afterAll(() => app.stop());

  const call = (action: string, init: RequestInit = {}, path = PATH) =>
    fetch(app.origin + path, {
      method: "POST",
      ...init,
      headers: { "x-trigger-api-key": KEY, "x-trigger-action": action, ...(init.headers as Record<string, string>) },
    });

  const deliver = (body: Buffer, contentType: string) =>
    call(PUSH.verifyAction, {
      ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
      headers: {
        "content-type": contentType,
        "x-ts-key": "echo",
        "x-ts-http-url": "https://hooks.example/in?a=1",
        "x-ts-http-method": "PUT",
        "x-ts-http-headers": "{}",
      },
    });

  it.each(Object.keys(bodies))("hands over a body byte for byte: %s", async (kind) => {
    const body = bodies[kind] as Buffer;
    for (const contentType of ["application/octet-stream", ...(kind.startsWith("JSON") ? ["application/json"] : [])]) {
      const response = await deliver(body, contentType);
      const hash = createHash("sha256").update(body).digest("hex");
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        success: false,
        reason: `PUT https://hooks.example/in?a=1 ${body.length} ${hash}`,
      });
    }
  });

  it("answers the server's questions, with the version headers", async () => {
    const ping = await call("PING", { headers: { "x-trigger-endpoint-id": "adapters" } });
    expect([ping.status, await ping.json()]).toEqual([200, { ok: true }]);
    expect(ping.headers.get("trigger-version")).toBe(V2_VERSION);
    const index = await (await call("INDEX_ENDPOINT")).json();
    expect(index).toMatchObject({
      jobs: [{ id: "job" }],
      httpEndpoints: [{ id: "echo" }],
      holdfast: { sdk: expect.any(String) },
    });
  });

  it("performs an execution", async () => {
    const start = {
      token: "exe_1",
      run: { id: "run_1", isTest: false, isRetry: false, startedAt: "2026-01-01T00:00:00Z" },
      job: { id: "job", version: "1.0.0" },
      event: { id: "e", name: "invoke", payload: "{}", timestamp: "2026-01-01T00:00:00Z", payloadType: "JSON" },
      tasks: [],
      yields: [],
    };
    const response = await call(PUSH.executeAction, {
      body: JSON.stringify(start),
      headers: { "content-type": "application/json" },
    });
    expect([response.status, await response.json()]).toEqual([
      200,
      { items: [], outcome: { status: "SUCCESS", output: '"ran"' } },
    ]);
  });

  it("refuses other keys, and answers errors as JSON", async () => {
    const wrong = await call("PING", { headers: { "x-trigger-api-key": "tr_dev_other" }, body: "x".repeat(100_000) });
    expect([wrong.status, await wrong.json()]).toEqual([401, { message: expect.stringContaining("client apiKey mismatch") }]);
    const none = await fetch(app.origin + PATH, { method: "POST" });
    expect([none.status, await none.json()]).toEqual([
      401,
      { message: expect.stringContaining("missing x-trigger-api-key header") },
    ]);
    const unknown = await call("NO_SUCH_ACTION");
    expect([unknown.status, await unknown.json()]).toEqual([405, { message: "Method not allowed" }]);
    const broken = await call(PUSH.executeAction, { body: "{", headers: { "content-type": "text/plain" } });
    expect([broken.status, await broken.json()]).toEqual([400, { message: "Invalid execution" }]);
  });

  it("tells a person who looks what this is", async () => {
    const page = await fetch(app.origin + PATH);
    expect([page.status, await page.json()]).toMatchObject([
      200,
      { app: "adapters", jobs: 1, message: expect.stringContaining("Holdfast") },
    ]);
    const head = await fetch(app.origin + PATH, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it.each(["PUT", "DELETE"])("answers %s with 405", async (method) => {
    expect((await call("PING", { method })).status).toBe(405);
  });
});

describe("in the framework's company", () => {
  const open: Running[] = [];
  afterEach(async () => {
    for (const app of open.splice(0)) await app.stop();
  });
  const started = async (app: Promise<Running>) => {
    open.push(await app);
    return (open.at(-1) as Running).origin;
  };

  it("a JSON parser mounted first is named, with what to do", async () => {
    const origin = await started(listen(express().use(express.json(), expressMiddleware(echoClient()))));
    const response = await fetch(origin + PATH, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json", "x-trigger-api-key": KEY, "x-trigger-action": PUSH.executeAction },
    });
    expect(response.status).toBe(500);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({
      title: "body already parsed",
      detail: expect.stringContaining("Mount Holdfast before"),
    });
  });

  it("express passes other paths on, and a slash at the end is the same path", async () => {
    const app = express().use(expressMiddleware(echoClient(), "/jobs"));
    app.use((_request, response) => void response.status(418).end());
    const origin = await started(listen(app));
    expect((await fetch(`${origin}/other`)).status).toBe(418);
    expect((await fetch(`${origin}/jobs/?x=1`)).status).toBe(200);
    expect((await fetch(`${origin}/jobs-and-more`)).status).toBe(418);
  });

  it("fastify's own parsers and limits go on working elsewhere", async () => {
    const app = Fastify({ bodyLimit: 1000 });
    await app.register(fastifyPlugin(echoClient(), { path: "/jobs" }));
    app.post("/other", async (request) => ({ got: request.body }));
    await app.listen({ port: 0, host: "127.0.0.1" });
    const origin = await started(
      Promise.resolve({ origin: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, stop: () => app.close() }),
    );
    const json = { "content-type": "application/json" };
    const other = await fetch(`${origin}/other`, { method: "POST", body: '{"a":1}', headers: json });
    expect(await other.json()).toEqual({ got: { a: 1 } });
    expect((await fetch(`${origin}/other`, { method: "POST", body: "x".repeat(2000), headers: json })).status).toBe(413);
    expect((await fetch(`${origin}/jobs`)).status).toBe(200);
  });

  it("hono passes other paths on", async () => {
    const app = new Hono().use(honoMiddleware(echoClient())).get("/other", (context) => context.text("other"));
    const origin = await started(running(serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server));
    expect(await (await fetch(`${origin}/other`)).text()).toBe("other");
  });

  it.each(["express", "fastify"] as const)("nestjs on %s: its prefix counts, its guards and parsers do not", async (platform) => {
    const app = await startNest({ platform, prefix: "v1", path: "/jobs" });
    const origin = await started(Promise.resolve(app));
    expect((await fetch(`${origin}/v1/jobs`)).status).toBe(200);
    expect((await fetch(`${origin}/jobs`)).status).toBe(200);
    expect((await fetch(`${origin}/jobs-and-more`)).status).toBe(404);
    expect((await fetch(`${origin}/v1/guarded`)).status).toBe(403);
    const json = { "content-type": "application/json", "x-let-me": "in" };
    const echoed = await fetch(`${origin}/v1/guarded`, { method: "POST", body: '{"a":1}', headers: json });
    expect(await echoed.json()).toEqual({ got: { a: 1 } });
  });

  it("nestjs: two clients are injected each by its token, options may come from the app, and a testing module serves too", async () => {
    const app = await startNestTesting();
    const origin = await started(Promise.resolve(app));
    expect(app.ids).toEqual(["from-config", "second"]);
    expect(await (await fetch(`${origin}/api/trigger`)).json()).toMatchObject({ app: "from-config" });
    expect(await (await fetch(`${origin}/second`)).json()).toMatchObject({ app: "second" });
  });

  it("nestjs: an application without HTTP has the client, and mounts nothing", async () => {
    const client = await clientOfContext();
    expect([client.id, client.served]).toEqual(["adapters", false]);
  });

  it("next's route says what Next must know", () => {
    expect(createAppRoute(echoClient())).toMatchObject({ dynamic: "force-dynamic", runtime: "nodejs" });
    expect(createPagesRoute(echoClient()).config.api.bodyParser).toBe(false);
  });

  it("a mounted client counts as served", () => {
    const client = echoClient();
    expect(client.served).toBe(false);
    createNodeHandler(client);
    expect(client.served).toBe(true);
  });
});
