// The example mounted by HTTP: Holdfast calls it at PUBLIC_URL. It uses only what the published @trigger.dev/sdk 2.3.19 has too.
// TRIGGER_API_URL and TRIGGER_API_KEY say where Holdfast is; PORT (default 3000) is where this listens.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { client } from "./clerk.ts";
import "./welcome.ts";
import { useStandInWithoutKey } from "./stand-in-environment.ts";

await useStandInWithoutKey();

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
await new Promise<void>((resolve) => server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", resolve));
const url = process.env.PUBLIC_URL ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/trigger`;
console.log(`Listening: ${url}`);
await register();

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === "HEAD") return void response.writeHead(200).end();
  const answer = await client.handleRequest(await toWebRequest(request));
  response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
  response.end(JSON.stringify(answer.body));
}

async function toWebRequest(request: IncomingMessage): Promise<Request> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers.set(name, String(value));
  const body = await buffer(request);
  const method = request.method ?? "GET";
  return new Request(new URL(request.url ?? "/", url), { method, headers, ...(method === "GET" ? {} : { body }) });
}

/** Tells Holdfast where this app is, as the v2 CLI does; tries again for half a minute while the server is still starting. */
async function register(): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const problem = await registerOnce();
    if (problem === null) return console.log("Registered.");
    if (attempt === 60) throw new Error(`Could not register ${url}: ${problem}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function registerOnce(): Promise<string | null> {
  try {
    const response = await fetch(`${process.env.TRIGGER_API_URL}/api/v1/endpoints`, {
      method: "POST",
      headers: { authorization: `Bearer ${process.env.TRIGGER_API_KEY}`, "content-type": "application/json" },
      body: JSON.stringify({ id: client.id, url }),
    });
    return response.ok ? null : `${response.status} ${await response.text()}`;
  } catch (error) {
    return String(error);
  }
}
