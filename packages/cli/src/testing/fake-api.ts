// For tests of the CLI: a small HTTP server that answers as the management API does, from a table, and records what it was asked.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Asked {
  method: string;
  /** Path and query. */
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: unknown;
}
/** A value is answered as 200; a function may look at the call. */
export type Answers = Record<string, unknown | ((asked: Asked) => unknown)>;

export interface FakeApi {
  url: string;
  asked: Asked[];
  answers: Answers;
  close(): Promise<void>;
}

/** An answer other than 200. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly body: unknown,
  ) {}
}

/** Keys are "GET /path" without the query; what no key names is answered 404. */
export async function fakeApi(answers: Answers): Promise<FakeApi> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const sent = await text(request);
    const call: Asked = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: sent === "" ? undefined : JSON.parse(sent),
    };
    asked.push(call);
    const { status, body } = answerTo(answers, call);
    response.writeHead(status, { "content-type": typeof body === "string" ? "text/html" : "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answers,
    close() {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

function answerTo(answers: Answers, call: Asked): { status: number; body: unknown } {
  const known = answers[`${call.method} ${call.path.split("?")[0]}`];
  const answer = typeof known === "function" ? known(call) : known;
  if (answer instanceof Refusal) return answer;
  if (answer !== undefined) return { status: 200, body: answer };
  return { status: 404, body: { error: "No such thing.", message: "No such thing.", code: "NOT_FOUND", hint: "Look again." } };
}
