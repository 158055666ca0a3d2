// Tests: the published v2 adapters, each mounted the way its users did: in its framework where that is a small package (Express, Hono, Remix, NestJS), else called
// as the framework calls it (Next.js, Astro, SvelteKit). One client an adapter, each registered by its URL.
import "reflect-metadata";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { createRequestHandler, type ServerBuild } from "@remix-run/server-runtime";
import { createAstroRoute } from "@trigger.dev/astro";
import { createMiddleware as createExpressMiddleware } from "@trigger.dev/express";
import { addMiddleware, createMiddleware as createHonoMiddleware } from "@trigger.dev/hono";
import { TriggerClientRef, TriggerDevModule } from "@trigger.dev/nestjs";
import { createAppRoute, createPagesRoute } from "@trigger.dev/nextjs";
import { createRemixRoute } from "@trigger.dev/remix";
import { eventTrigger, TriggerClient, verifyRequestSignature } from "@trigger.dev/sdk";
import { createSvelteRoute } from "@trigger.dev/sveltekit";
import express from "express";
import { Hono } from "hono";

const SECRET = process.env.HOOK_SECRET ?? "";

/** What every adapter's app has: a job with a step and a pause, and an endpoint whose webhooks are verified or, when PUT, answered by the app. */
function define(client: TriggerClient): TriggerClient {
  const name = client.id;
  client.defineJob({
    id: `greet-${name}`,
    name: "Greet",
    version: "1.0.0",
    trigger: eventTrigger({ name: `greet.${name}` }),
    run: async (payload: { name: string }, io) => {
      const greeting = await io.runTask("greet", async () => `Hello, ${payload.name}`, { name: "Greet" });
      await io.wait("a moment", 1);
      return { greeting, by: name };
    },
  });
  const hook = client.defineHttpEndpoint({
    id: `hook-${name}`,
    source: "test",
    verify: (request) =>
      verifyRequestSignature({ request, headerName: "x-signature", secret: SECRET, algorithm: "sha256", headerEncoding: "hex" }),
    respondWith: {
      skipTriggeringRuns: true,
      filter: { method: ["PUT"] },
      handler: async (request) => new Response(JSON.stringify({ by: name, got: await request.text() }), { status: 202 }),
    },
  });
  client.defineJob({
    id: `hooked-${name}`,
    name: "Hooked",
    version: "1.0.0",
    trigger: hook.onRequest(),
    run: async (request) => ({ by: name, got: await request.text() }),
  });
  return client;
}

/** A job that tells a page how far it is, and waits for an event in the middle. */
function defineDrawing(client: TriggerClient): TriggerClient {
  client.defineJob({
    id: "draw",
    name: "Draw",
    version: "1.0.0",
    trigger: eventTrigger({ name: "draw" }),
    run: async (payload: { images: number }, io) => {
      const status = await io.createStatus("images", { label: "Drawing", state: "loading", data: { progress: 0 } });
      await status.update("half", { data: { progress: 0.5 } });
      await io.waitForEvent("the other half", { name: "drawn" });
      await status.update("whole", { label: "Drawn", state: "success", data: { progress: 1 } });
      return payload;
    },
  });
  return client;
}

const clientOf = (name: string): TriggerClient => define(new TriggerClient({ id: name }));

/** A Node listener over a function from Request to Response. */
function web(serve: (request: Request) => Promise<Response> | Response): RequestListener {
  return async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "GET", headers, url = "/" } = request;
    const body = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {};
    const answer = await serve(
      new Request(`http://127.0.0.1${url}`, { method, headers: headers as Record<string, string>, ...body }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
  };
}

/** A file route: only the methods it exports are served. */
function fileRoute(methods: Partial<Record<string, (request: Request) => Promise<Response>>>): RequestListener {
  return web((request) => methods[request.method]?.(request) ?? new Response(null, { status: 405 }));
}

/** Next's pages router adds two methods to Node's response. */
function pagesRoute(handler: (request: never, response: never) => Promise<unknown>): RequestListener {
  return (request, response) => {
    const status = (code: number): ServerResponse => Object.assign(response, { statusCode: code });
    const json = (body: unknown) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));
    void handler(request as never, Object.assign(response, { status, json }) as never);
  };
}

function remixApp(action: unknown): RequestListener {
  const route = { id: "routes/api.trigger", path: "api/trigger", module: { action } };
  const build = {
    entry: { module: { default: () => new Response("a page") } },
    routes: { [route.id]: route },
    assets: { entry: { module: "", imports: [] }, routes: {}, url: "", version: "1" },
    publicPath: "/",
    assetsBuildDirectory: "",
    future: {},
    isSpaMode: false,
  };
  const handle = createRequestHandler(build as unknown as ServerBuild, "production");
  return web((request) => handle(request));
}

async function nestApp(): Promise<RequestListener> {
  class AppModule {}
  const options = { id: "nestjs", apiKey: process.env.TRIGGER_API_KEY ?? "", apiUrl: process.env.TRIGGER_API_URL ?? "" };
  Module({ imports: [TriggerDevModule.register(options)] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  define(app.get(TriggerClientRef, { strict: false }));
  await app.init();
  return app.getHttpAdapter().getInstance();
}

function honoApps(): Record<string, RequestListener> {
  const plain = new Hono();
  plain.use("*", createHonoMiddleware(clientOf("hono")));
  const withEnv = new Hono();
  const client = clientOf("hono-env");
  addMiddleware(withEnv as never, () => client);
  return { hono: web((request) => plain.fetch(request)), "hono-env": web((request) => withEnv.fetch(request)) };
}

async function allApps(): Promise<Record<string, RequestListener>> {
  const { POST: next } = createAppRoute(clientOf("next-app"));
  // Its types are CommonJS's alone, for which the SDK has others.
  const { POST: astro } = createAstroRoute(clientOf("astro") as never);
  const { POST: svelte } = createSvelteRoute(clientOf("sveltekit"));
  return {
    express: express().use(createExpressMiddleware(defineDrawing(clientOf("express")))),
    "next-app": fileRoute({ POST: (request) => next(request as never) }),
    "next-pages": pagesRoute(createPagesRoute(clientOf("next-pages")).handler as never),
    remix: remixApp(createRemixRoute(clientOf("remix")).action),
    astro: fileRoute({ POST: (request) => astro({ request } as never) }),
    sveltekit: fileRoute({ POST: (request) => svelte({ request } as never) }),
    ...honoApps(),
    nestjs: await nestApp(),
  };
}

async function register(id: string, listener: RequestListener): Promise<void> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/trigger`;
  const answer = await fetch(`${process.env.TRIGGER_API_URL}/api/v1/endpoints`, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.TRIGGER_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ id, url }),
  });
  if (!answer.ok) console.log(`refused ${id}: ${answer.status} ${await answer.text()}`);
}

const apps = await allApps();
await Promise.all(Object.entries(apps).map(([id, listener]) => register(id, listener)));
console.log("all registered");
