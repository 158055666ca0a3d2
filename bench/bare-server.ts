// Bench: the least a server of this kind can do. `POST /stored` answers once the body is committed as one row; `POST /relayed` commits it, sends it over a
// WebSocket to a program that answers at once (echo.ts), commits the answer, and answers then: a webhook's acknowledgement and a job's whole way, with
// nothing that makes them useful.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { WebSocket } from "ws";

const database = new pg.Client(JSON.parse(process.env.BENCH_DATABASE ?? "{}"));
await database.connect();
await database.query("create table if not exists bench_requests (id bigint generated always as identity primary key, body text)");
const app = new WebSocket(process.env.BENCH_APP ?? "");
await new Promise((resolve) => app.once("open", resolve));

const store = (body: string) =>
  database.query({ name: "store", text: "insert into bench_requests (body) values ($1)", values: [body] });

async function relay(body: string): Promise<void> {
  await store(body);
  const answered = new Promise<string>((resolve) => app.once("message", (text) => resolve(String(text))));
  app.send(body);
  await store(await answered);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const server = createServer(async (request, response) => {
  const body = await textOf(request);
  await (request.url === "/relayed" ? relay(body) : store(body));
  response.end("{}");
});
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
