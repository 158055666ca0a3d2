// The key-value store on the wire: what the published SDK sends and reads, odd keys and bodies, and who may not.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fixture, startFixture } from "./fixture.test.mts";

let server: Fixture;
beforeAll(async () => {
  server = await startFixture();
});
afterAll(() => server.stop());

/** The body goes out as it is, as `text/plain`. */
function call(method: string, path: string, body?: string, key = server.keys.dev.secretKey): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "text/plain" };
  return fetch(`${server.url}/api/v1/store/${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
}
async function answers(method: string, path: string, body?: string) {
  const response = await call(method, path, body);
  return { status: response.status, body: await response.json() };
}

describe("/api/v1/store/:key", () => {
  it("keeps, gives, tells and forgets", async () => {
    const path = "run%3Arun_store%3Ak";
    const key = "run:run_store:k";
    expect(await answers("GET", path)).toEqual({ status: 200, body: { action: "GET", key } });
    expect((await call("HEAD", path)).status).toBe(404);
    expect(await answers("PUT", path, '{"v": 1}')).toEqual({ status: 200, body: { action: "SET", key, value: '{"v": 1}' } });
    expect(await answers("GET", path)).toEqual({ status: 200, body: { action: "GET", key, value: '{"v": 1}' } });
    const head = await call("HEAD", path);
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(await answers("DELETE", path)).toEqual({ status: 200, body: { action: "DELETE", key, deleted: true } });
    expect(await answers("DELETE", path)).toEqual({ status: 200, body: { action: "DELETE", key, deleted: false } });
  });

  it("takes an empty body as undefined, which is kept", async () => {
    expect(await answers("PUT", "none")).toEqual({ status: 200, body: { action: "SET", key: "none" } });
    expect(await answers("GET", "none")).toEqual({ status: 200, body: { action: "GET", key: "none" } });
    expect((await call("HEAD", "none")).status).toBe(200);
  });

  it.each(["k/é ?", "a//b/", "../x", "%", "%2F", " ", "😀", "__proto__", "x".repeat(1024)])(
    "does not split or change the key %j",
    async (key) => {
      expect((await answers("PUT", encodeURIComponent(key), "1")).body).toMatchObject({ key, value: "1" });
      expect((await answers("GET", encodeURIComponent(key))).body).toMatchObject({ key, value: "1" });
    },
  );

  it("refuses a key that is too long or holds NUL, and a slash that is not encoded", async () => {
    for (const path of ["x".repeat(1025), "a%00b"]) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        expect((await call(method, path, method === "PUT" ? "1" : undefined)).status).toBe(400);
      }
    }
    expect((await call("PUT", "a/b", "1")).status).toBe(404);
  });

  it("counts a value's size in characters, 262,144 at most", async () => {
    const longest = JSON.stringify("é".repeat(256 * 1024 - 2));
    expect((await call("PUT", "big", longest)).status).toBe(200);
    const larger = await answers("PUT", "big", longest.replace("é", "éé"));
    expect(larger).toMatchObject({ status: 413, body: { code: "TOO_LARGE", error: expect.stringContaining("262144") } });
    expect((await call("PUT", "big", " ".repeat(2 * 1024 * 1024))).status).toBe(413);
    expect((await answers("GET", "big")).body.value).toBe(longest);
  });

  it("refuses what is not JSON, and keeps the value there was", async () => {
    await call("PUT", "json", "1");
    for (const body of ["{", "undefined", "'a'", " "]) expect((await answers("PUT", "json", body)).status).toBe(400);
    expect((await answers("GET", "json")).body.value).toBe("1");
  });

  it("keeps JSON nested deep as it is, since nobody reads it here", async () => {
    const deep = "[".repeat(5_000) + "]".repeat(5_000);
    expect((await answers("PUT", "deep", deep)).body.value).toBe(deep);
    expect((await answers("GET", "deep")).body.value).toBe(deep);
  });

  it("opens to secret keys only, each to its own environment", async () => {
    const { dev, prod } = server.keys;
    await call("PUT", "whose", '"dev"');
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      for (const key of [dev.publicKey, "tr_dev_wrong", ""])
        expect((await call(method, "whose", method === "PUT" ? "1" : undefined, key)).status).toBe(401);
    }
    expect((await call("HEAD", "whose", undefined, prod.secretKey)).status).toBe(404);
    expect(await (await call("DELETE", "whose", undefined, prod.secretKey)).json()).toMatchObject({ deleted: false });
    await call("PUT", "whose", '"prod"', prod.secretKey);
    expect((await answers("GET", "whose")).body.value).toBe('"dev"');
  });
});

it("nothing failed unexpectedly", () => expect(server.errors).toEqual([]));
