// What runs wait for outside of them, as users of v2 have it: callback URLs, events, invoked jobs, requests the server makes. The same file on the published
// SDK and on ours; through a kill of the server; and answers that come too early, twice, late or from somebody else.
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunDetail } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";
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
  /** Of the first request to be echoed. */
  authorization: string | undefined;
  /** The last thing it was told, as it came. */
  last: { headers: IncomingHttpHeaders; body: string } = { headers: {}, body: "" };
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
    if (what === "hook") this.last = { headers: request.headers, body };
    if (what === "echo") {
      this.authorization ??= request.headers.authorization;
      return json(200, { got: body });
    }
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

/** The newest run of a job, once so many of it have ended. */
async function ended(server: TestServer, job: string, count = 1): Promise<{ status: string; output: unknown }> {
  const [run] = await server.api.settled(job, count, { withinMs: 60_000 });
  const { status, output, error } = (await server.api.run(run?.id ?? "")) as RunDetail & { output?: unknown; error?: unknown };
  return { status, output: output ?? error };
}

describe.each<Mounting>(["published", "ours", "ours-by-push"])("waiting for something outside, SDK %s", (mounting) => {
  let server: TestServer;
  let outside: Outside;

  beforeAll(async () => {
    [server, outside] = await Promise.all([TestServer.start(), Outside.start()]);
    const env = { ...server.appEnv, NOTE_URL: outside.url };
    await startCopiedApp({ mounting, files: ["tests/published/outside.ts"], env });
  }, 60_000);
  afterAll(() => server.stop());

  const waiting = (job: string): Promise<unknown> =>
    until(async () => (await server.api.runsOf(job))[0]?.status === "WAITING_TO_CONTINUE", {
      what: () => `a waiting run of "${job}"`,
    });

  test("a request completes the task, once, on through a kill of the server", LONG, async () => {
    await server.api.send({ name: "ask" });
    const [url] = await outside.hears("url");
    await waiting("asks");
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
    expect(await ended(server, "asks")).toEqual({ status: "SUCCESS", output: { answer: { given: { yes: 0 } } } });
    expect(outside.told.get("url")).toHaveLength(1);
  });

  test("falsy answers are answers", LONG, async () => {
    for (const [i, body] of ["0", "false", '""', "null"].entries()) {
      await server.api.send({ name: "ask" });
      await until(() => outside.told.get("url")?.length === i + 2, { what: () => "the URL" });
      await post(outside.told.get("url")?.[i + 1], body);
      expect((await ended(server, "asks", i + 2)).output).toEqual({ answer: { given: JSON.parse(body) } });
    }
  });

  test("a callback nobody calls is an error the job can catch", LONG, async () => {
    await server.api.send({ name: "ask", payload: { timeout: 1 } });
    const { status, output } = await ended(server, "asks", 6);
    expect(status).toBe("SUCCESS");
    expect(JSON.stringify(output)).toContain("Remote callback timeout - no requests received");
  });

  test("three at once: each URL is handed out once, whoever answers first", LONG, async () => {
    await server.api.send({ name: "ask.three" });
    for (const [i, name] of ["c", "a", "b"].entries()) await post((await outside.hears(`url-${name}`))[0], `{"n":${i}}`);
    expect(await ended(server, "asks-three")).toEqual({ status: "SUCCESS", output: [1, 2, 0] });
    for (const name of ["a", "b", "c"]) expect(outside.told.get(`url-${name}`)).toHaveLength(1);
  });

  test("an answer that is there before the job waits is not lost", LONG, async () => {
    for (let n = 1; n <= 3; n++) {
      await server.api.send({ name: "ask.at-once" });
      const output = { answer: { n: 1 } };
      expect(await ended(server, "is-answered-at-once", n)).toEqual({ status: "SUCCESS", output });
    }
  });

  test("an event that fits completes the task: others do not, nor other accounts", LONG, async () => {
    await server.api.send({ name: "order", payload: { id: "o1" } });
    await waiting("waits-for-event");
    const pay = (order: string, accountId: string) =>
      server.api.post("/api/v1/events", { event: { name: "paid", payload: { order } }, options: { accountId } });
    await pay("o2", "acc");
    await pay("o1", "other");
    await pay("o1", "acc");
    await pay("o1", "acc");
    const output = { payload: { order: "o1" }, name: "paid", accountId: "acc" };
    expect(await ended(server, "waits-for-event")).toEqual({ status: "SUCCESS", output });
  });

  test("jobs invoke jobs and wait for them, one and many, good and bad", LONG, async () => {
    await server.api.send({ name: "invoke.children" });
    expect(await ended(server, "invokes")).toMatchObject({
      status: "SUCCESS",
      output: {
        one: { twice: 42 },
        bad: { status: "FAILURE", error: { message: "no negative numbers" } },
        many: [{ twice: 2 }, { twice: 4 }, { twice: 6 }],
        fired: true,
      },
    });
    expect(await server.api.settled("child", 6)).toHaveLength(6);
  });

  test("one key is one run; a URL is told how it ended, signed", LONG, async () => {
    const invoke = async (n: number) => {
      const headers = { authorization: `Bearer ${DEV_KEY}`, "content-type": "application/json", "idempotency-key": "twice" };
      const body = JSON.stringify({ payload: { n }, options: { callbackUrl: `${outside.url}/hook` } });
      const answer = await fetch(`${server.url}/api/v1/jobs/child/invoke`, { method: "POST", headers, body });
      return (await answer.json()) as { id: string };
    };
    const [first, second] = [await invoke(4), await invoke(5)];
    expect(second).toEqual(first);
    expect(await outside.hears("hook")).toMatchObject([
      { id: first.id, ok: true, output: { twice: 8 }, invocation: { payload: { n: 4 } } },
    ]);
    const { headers, body } = outside.last;
    expect(headers["x-trigger-signature-256"]).toBe(createHmac("sha256", DEV_KEY).update(body).digest("hex"));
  });

  test("the app is told how runs ended, the canceled ones too", LONG, async () => {
    await server.api.send({ name: "tell", payload: { seconds: 1 } });
    expect(await outside.hears("success")).toEqual([{ output: { done: true }, payload: { seconds: 1 }, date: true }]);
    await server.api.send({ name: "tell", payload: { seconds: 1, fail: true } });
    expect(await outside.hears("failure")).toEqual(["FAILURE"]);
    await server.api.send({ name: "tell", payload: { seconds: 600 } });
    await waiting("tells");
    const [run] = await server.api.runsOf("tells");
    await server.api.post(`/api/v1/runs/${run?.id}/cancel`);
    await until(() => outside.told.get("failure")?.length === 2, { what: () => "the second failure" });
    expect(outside.told.get("failure")).toEqual(["FAILURE", "CANCELED"]);
    expect(await outside.hears("failed-tells")).toMatchObject([{ error: { message: "as asked" } }, { status: "CANCELED" }]);
    expect(outside.told.get("success")).toHaveLength(1);
  });

  test("the server fetches and polls for the job", LONG, async () => {
    await server.api.send({ name: "fetch" });
    expect(await ended(server, "fetches")).toEqual({
      status: "SUCCESS",
      output: {
        body: { got: "hello" },
        secret: true,
        whole: { status: 200, data: { got: "all" } },
        retried: { tries: 3 },
        failed: true,
        polled: { ready: true },
      },
    });
    expect(outside.authorization).toBe("Bearer hush-hush");
    const [run] = await server.api.runsOf("fetches");
    const shown = [
      await server.api.tasks(run?.id ?? ""),
      await server.api.call("GET", `/api/v2/runs/${run?.id}?taskdetails=true`),
    ];
    expect(JSON.stringify(shown)).toContain("Bearer ********");
    expect(JSON.stringify(shown[0])).not.toContain("hush-hush");
  });
});
