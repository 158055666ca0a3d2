// `holdfast apps`, and what `dev --app-url` is told by the apps it asks, against a fake API.
import { afterEach, describe, expect, test } from "vitest";
import { askAppId, toAppUrl } from "../api/app-id.ts";
import { run } from "../program.ts";
import { type Answers, type FakeApi, fakeApi, Refusal } from "../testing/fake-api.ts";
import { testWorld } from "../testing/test-world.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function api(answers: Answers): Promise<FakeApi> {
  const made = await fakeApi(answers);
  undo.push(made.close);
  return made;
}
async function call(answers: Answers, words: string[]) {
  const here = testWorld({ env: { HOLDFAST_API_KEY: "tr_dev_k" } });
  undo.push(here.remove);
  const server = await api(answers);
  const exit = await run([...words, "--url", server.url], here);
  return { exit, server, ...here.printed };
}

const APPS = "GET /api/v1/environments/dev/apps";
const app = { id: "app_1", slug: "shop", transport: "push", url: "http://h/api/trigger", sdk: "2.3.19", reachable: false };
const full = { ...app, lastError: "It is down.", indexedAt: null, jobs: 2, endpoints: 1 };

describe("apps", () => {
  test("list, for a script and for a person", async () => {
    const { out } = await call({ [APPS]: [full] }, ["apps", "list", "--json"]);
    const { id: _id, slug, indexedAt: _at, ...rest } = full;
    expect(JSON.parse(out)).toEqual([{ id: slug, ...rest }]);
    const text = await call({ [APPS]: [full, { ...full, slug: "dialler", transport: "connect", url: null }] }, ["apps", "list"]);
    expect(text.out).toMatch(
      /^APP +REACHABLE +URL +SDK +JOBS +ENDPOINTS +ERROR\nshop +no +http:\/\/h\/api\/trigger +2\.3\.19 +2 +1 +It is down\./,
    );
    expect(text.out).toContain("dials out");
    const none = await call({ [APPS]: [] }, ["apps", "list"]);
    expect([none.out, none.err]).toEqual(["", expect.stringContaining("No apps yet")]);
  });

  test("register names the app and its URL; without a path it is the adapters' usual one", async () => {
    const { exit, out, server } = await call({ "POST /api/v1/endpoints": { id: "app_1" } }, [
      ...["apps", "register", "shop", "http://localhost:3000", "--json"],
    ]);
    expect([exit, JSON.parse(out)]).toEqual([0, { id: "shop", url: "http://localhost:3000/api/trigger" }]);
    expect(server.asked[0]?.body).toEqual({ id: "shop", url: "http://localhost:3000/api/trigger" });
  });

  test("an app that does not answer is exit code 6, an odd address 2, a wrong key 4", async () => {
    const words = ["apps", "register", "shop", "http://localhost:3000/x"];
    const refusal = { code: "BAD_REQUEST", message: "Could not connect to endpoint.", hint: "Check that the app runs." };
    const silent = await call({ "POST /api/v1/endpoints": new Refusal(400, refusal) }, words);
    expect([silent.exit, silent.err]).toEqual([6, expect.stringContaining("[APP_UNREACHABLE]\n  Check that the app runs.")]);
    expect((await call({}, ["apps", "register", "shop", "localhost:3000"])).exit).toBe(2);
    expect(
      (await call({ "POST /api/v1/endpoints": new Refusal(401, { code: "UNAUTHORIZED", message: "No." }) }, words)).exit,
    ).toBe(4);
  });
});

describe("asking an app who it is", () => {
  const ask = async (answer: unknown, path = "/api/trigger") => {
    const made = await api({ "POST /api/trigger": answer });
    return { answer: await askAppId({ fetch }, { url: `${made.url}${path}`, key: "tr_dev_k" }), asked: made.asked[0] };
  };

  test("shows the key and the action, and reads the id", async () => {
    const { answer, asked } = await ask({ ok: true, endpointId: "shop" });
    expect(answer).toEqual({ ok: true, id: "shop" });
    expect(asked?.headers).toMatchObject({ "x-trigger-api-key": "tr_dev_k", "x-trigger-action": "VALIDATE" });
  });

  test.each<[string, unknown, string]>([
    [
      "a wrong key",
      new Refusal(401, { message: "Forbidden: client apiKey mismatch" }),
      "it answers 401: Forbidden: client apiKey mismatch",
    ],
    ["another server", "<html>", "it answers 200, but not as an app does; is the path right?"],
    ["another JSON API", { ok: true }, "it answers 200, but not as an app does; is the path right?"],
    ["nothing at that path", new Refusal(404, "<h1>Not found"), "it answers 404, but not as an app does; is the path right?"],
  ])("%s is told from an app", async (_what, answer, why) => {
    expect((await ask(answer)).answer).toEqual({ ok: false, why });
  });

  test("nobody there is told too", async () => {
    const gone = await api({});
    await gone.close();
    expect(await askAppId({ fetch }, { url: gone.url, key: "k" })).toEqual({
      ok: false,
      why: "nothing answers there (ECONNREFUSED).",
    });
  });

  test("an address keeps its own path", () => {
    expect(toAppUrl("http://localhost:3000/my/path?x=1")).toBe("http://localhost:3000/my/path?x=1");
    expect(() => toAppUrl("ftp://x")).toThrow("is no address of an app");
  });
});
