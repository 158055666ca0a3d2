// What runs wait for outside of them, as users of v2 have it: callback URLs, events, invoked jobs, requests the server makes. The same file on the published
// SDK and on ours; through a kill of the server; and answers that come too early, twice, late or from somebody else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunDetail } from "@holdfast/protocol";
import { afterAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp, type Program } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const LONG = { timeout: 120_000 };
const servers: Server[] = [];

afterAll(async () => {
  for (const server of servers) server.close();
  await cleanUp();
  removeCopiedApps();
});

/** Somebody outside: keeps what it is told, and answers what the jobs fetch. */
class Outside {
  readonly told = new Map<string, unknown[]>();
  url = "";
  #flaky = 0;
  #ready = 0;

  static async start(): Promise<Outside> {
    const outside = new Outside();
    const server = createServer((request, response) => void outside.#answer(request, response));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    outside.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return outside;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += chunk;
    const what = request.url?.slice(1) ?? "";
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    };
    if (what === "echo") return json(200, { got: body });
    if (what === "flaky") return ++this.#flaky % 3 === 0 ? json(200, { tries: 3 }) : json(503, { message: "not now" });
    if (what === "ready") return json(200, { ready: ++this.#ready % 2 === 0 });
    if (what === "missing") return json(404, { message: "nothing here" });
    this.told.set(what, [...(this.told.get(what) ?? []), body === "" ? undefined : JSON.parse(body)]);
    json(200, {});
  }

  /** What it was told so far, once it was told something. */
  hears(what: string): Promise<unknown[]> {
    return until(() => this.told.get(what), { withinMs: 30_000, what: () => `a note of "${what}"` });
  }
}

const post = (url: unknown, body: string): Promise<Response> => fetch(String(url), { method: "POST", body });

async function ended(server: TestServer, job: string): Promise<{ status: string; output: unknown }> {
  const [run] = await server.api.settled(job, 1, { withinMs: 60_000 });
  const { status, output, error } = (await server.api.run(run?.id ?? "")) as RunDetail & { output?: unknown; error?: unknown };
  return { status, output: output ?? error };
}

describe.each<Mounting>(["published"])("waiting for something outside, SDK %s", (mounting) => {
  const stage = async (): Promise<{ server: TestServer; outside: Outside; app: Program }> => {
    const [server, outside] = await Promise.all([TestServer.start(), Outside.start()]);
    const env = { ...server.appEnv, NOTE_URL: outside.url };
    return { server, outside, app: await startCopiedApp({ mounting, files: ["tests/published/outside.ts"], env }) };
  };

  test("a request completes the task, once, on through a kill of the server", LONG, async () => {
    const { server, outside } = await stage();
    await server.api.send({ name: "ask" });
    const [url] = await outside.hears("url");
    await until(async () => (await server.api.runsOf("asks"))[0]?.status === "WAITING_TO_CONTINUE", { withinMs: 20_000 });
    await server.kill();
    await server.start();
    expect(
      (
        await post(
          String(url).replace(/.$/, (char) => (char === "0" ? "1" : "0")),
          "{}",
        )
      ).status,
    ).toBe(404);
    expect((await post(url, "{ no json")).status).toBe(400);
    expect(await (await post(url, '{"yes":0}')).json()).toEqual({ success: true });
    expect(await (await post(url, '{"yes":1}')).json()).toEqual({ success: true });
    expect(await ended(server, "asks")).toMatchObject({ status: "SUCCESS", output: { answer: { given: { yes: 0 } } } });
    expect(outside.told.get("url")).toHaveLength(1);
    await server.stop();
  });

  test("falsy answers are answers", LONG, async () => {
    const { server, outside } = await stage();
    for (const [i, body] of ["0", "false", '""', "null"].entries()) {
      await server.api.send({ name: "ask" });
      const urls = await until(async () => (outside.told.get("url")?.length === i + 1 ? outside.told.get("url") : null), {
        withinMs: 20_000,
      });
      await post(urls?.[i], body);
      const [run] = await server.api.settled("asks", i + 1);
      expect((await server.api.run(run?.id ?? "")).output).toEqual({ answer: { given: JSON.parse(body) } });
    }
    await server.stop();
  });

  test("a callback nobody calls is an error the job can catch", LONG, async () => {
    const { server } = await stage();
    await server.api.send({ name: "ask", payload: { timeout: 1 } });
    const caught = "Remote callback timeout - no requests received";
    const { status, output } = await ended(server, "asks");
    expect({ status, output: JSON.stringify(output) }).toEqual({ status: "SUCCESS", output: expect.stringContaining(caught) });
    await server.stop();
  });

  test("three at once: each URL is handed out once, whoever answers first", LONG, async () => {
    const { server, outside } = await stage();
    await server.api.send({ name: "ask.three" });
    for (const [i, name] of ["c", "a", "b"].entries()) await post((await outside.hears(`url-${name}`))[0], `{"n":${i}}`);
    expect(await ended(server, "asks-three")).toMatchObject({ status: "SUCCESS", output: [1, 2, 0] });
    for (const name of ["a", "b", "c"]) expect(outside.told.get(`url-${name}`)).toHaveLength(1);
    await server.stop();
  });

  test("an event that fits completes the task: others do not, nor other accounts", LONG, async () => {
    const { server } = await stage();
    await server.api.send({ name: "order", payload: { id: "o1" } });
    const [run] = await server.api.runs({ job: "waits-for-event" });
    await until(async () => (await server.api.run(run?.id ?? "")).status === "WAITING_TO_CONTINUE", { withinMs: 20_000 });
    const pay = (order: string, accountId: string) =>
      server.api.post("/api/v1/events", { event: { name: "paid", payload: { order } }, options: { accountId } });
    await pay("o2", "acc");
    await pay("o1", "other");
    await pay("o1", "acc");
    await pay("o1", "acc");
    const output = { payload: { order: "o1" }, name: "paid", accountId: "acc" };
    expect(await ended(server, "waits-for-event")).toMatchObject({ status: "SUCCESS", output });
    await server.stop();
  });

  test("jobs invoke jobs and wait for them, one and many, good and bad", LONG, async () => {
    const { server } = await stage();
    await server.api.send({ name: "invoke.children" });
    const { status, output } = await ended(server, "invokes");
    expect({ status, output }).toMatchObject({
      status: "SUCCESS",
      output: {
        one: { twice: 42 },
        bad: { status: "FAILURE", error: { message: "no negative numbers" } },
        many: [{ twice: 2 }, { twice: 4 }, { twice: 6 }],
        fired: true,
      },
    });
    expect(await server.api.settled("child", 6)).toHaveLength(6);
    await server.stop();
  });

  test("the server fetches and polls for the job", LONG, async () => {
    const { server } = await stage();
    await server.api.send({ name: "fetch" });
    expect(await ended(server, "fetches")).toMatchObject({
      status: "SUCCESS",
      output: {
        body: { got: "hello" },
        whole: { status: 200, data: { got: "all" } },
        retried: { tries: 3 },
        failed: true,
        polled: { ready: true },
      },
    });
    await server.stop();
  });
});
