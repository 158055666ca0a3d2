// Tests: the services of v2's integrations, as far as their jobs ask them. What an app asks of https://host/path comes as /host/path.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "../harness/until.ts";

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}
interface Asked {
  /** "POST /host/path". */
  what: string;
  authorization: string;
  body: string;
}

const customer = { id: "c1", fullName: "Ada", shortName: "A", __typename: "Customer" };
const ANSWERS: [RegExp, (asked: Asked) => Answer][] = [
  [/^POST \/api.airtable.com\/v0\/app1\/Goals/, () => ({ body: { records: [{ id: "rec1", fields: { Name: "made" } }] } })],
  [
    /^GET \/api.airtable.com\/v0\/app1\/Goals/,
    () => ({ body: { records: ["a", "b"].map((Name) => ({ id: `rec${Name}`, fields: { Name } })) } }),
  ],
  [/^POST \/api.github.com\/repos\/acme\/shop\/issues$/, () => ({ status: 201, body: { number: 7 } })],
  [/^POST \/api.github.com\/repos\/acme\/shop\/issues\/9\/comments$/, () => ({ status: 201, body: { id: 11 } })],
  [/^GET \/api.github.com\/user$/, () => ({ body: { login: "ada" } })],
  [/^GET \/api.github.com\/repos\/acme\/shop\/hooks/, () => ({ body: [] })],
  [
    /^POST \/api.github.com\/repos\/acme\/shop\/hooks/,
    ({ body }) => ({ status: 201, body: { id: 3, active: true, ...JSON.parse(body) } }),
  ],
  [
    /^POST \/api.linear.app\/graphql/,
    () => ({
      body: {
        data: {
          viewer: { id: "u1", name: "Ada", email: "a@example.com", active: true, createdAt: new Date(0), updatedAt: new Date(0) },
        },
      },
    }),
  ],
  [/^POST \/plain/, () => ({ body: { data: { customer } } })],
  [/^POST \/api.replicate.com\/v1\/predictions$/, () => ({ status: 201, body: { id: "p1", status: "starting", urls: {} } })],
  [/^POST \/api.sendgrid.com\/v3\/mail\/send/, () => ({ status: 202, body: "" })],
  [/^POST \/slack.com\/api\/conversations.join/, () => ({ body: { ok: true, channel: { id: "C1" } } })],
  [/^POST \/slack.com\/api\/chat.postMessage/, () => ({ body: { ok: true, ts: "1.2", channel: "C1" } })],
  [/^POST \/api.stripe.com\/v1\/customers/, () => ({ body: { id: "cus_1", object: "customer" } })],
  [/^GET \/supabase\/rest\/v1\/users/, () => ({ body: [{ id: 1, name: "Ada" }] })],
  [/^GET \/api.supabase.com\/v1\/organizations/, () => ({ body: [{ id: "o1", name: "Acme" }] })],
  [/^GET \/api.typeform.com\/forms/, () => ({ body: { items: [{ id: "f1", title: "Survey" }], page_count: 1, total_items: 1 } })],
];

export class Services {
  readonly asked: Asked[] = [];
  url = "";
  readonly #server: Server = createServer(async (request, response) => {
    const asked = await this.#read(request);
    const found = ANSWERS.find(([pattern]) => pattern.test(asked.what));
    const {
      status = 200,
      headers = {},
      body,
    } = found?.[1](asked) ?? { status: 404, body: { message: `Nothing at ${asked.what}` } };
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === "" ? "" : JSON.stringify(body));
  });

  static async start(): Promise<Services> {
    const services = new Services();
    await new Promise<void>((resolve) => services.#server.listen(0, "127.0.0.1", () => resolve()));
    services.url = `http://127.0.0.1:${(services.#server.address() as AddressInfo).port}`;
    return services;
  }
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The first thing asked there. */
  hears(what: RegExp): Promise<Asked> {
    return until(() => this.asked.find((asked) => what.test(asked.what)), {
      withinMs: 60_000,
      what: () => `a request of ${what} among ${this.asked.map((asked) => asked.what).join(", ")}`,
    });
  }

  async #read(request: IncomingMessage): Promise<Asked> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { authorization = String(request.headers.apikey ?? "") } = request.headers;
    const asked = { what: `${request.method} ${request.url}`, authorization, body: Buffer.concat(chunks).toString() };
    this.asked.push(asked);
    return asked;
  }
}
