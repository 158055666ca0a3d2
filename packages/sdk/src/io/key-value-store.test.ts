// Values by key, on the SDK's side: what is a task and what is not, calls that are wrong, and outages of the server.
import { expect, it } from "vitest";
import { RunModel } from "../../test-kit/run-model.ts";
import { VirtualRuntime } from "../../test-kit/virtual-runtime.ts";
import { ApiClient } from "../client/api.ts";
import type { IO } from "./io.ts";
import { KeyValueStore } from "./key-value-store.ts";

type Init = { method?: string; body?: unknown };

/** A server's store behind `runtime.fetch`. */
function serve(runtime: VirtualRuntime): { calls: string[]; down: boolean } {
  const kept = new Map<string, string | undefined>();
  const served = { calls: [] as string[], down: false };
  runtime.fetch = async (url, init) => {
    const { method = "GET", body } = init as Init;
    const key = decodeURIComponent(String(url).split("/store/")[1] ?? "");
    served.calls.push(`${method} ${key}`);
    if (served.down) throw new Error("connect ECONNREFUSED");
    if (method === "HEAD") return new Response(null, { status: kept.has(key) ? 200 : 404 });
    if (method === "DELETE") return Response.json({ action: "DELETE", key, deleted: kept.delete(key) });
    if (method === "PUT") kept.set(key, body as string | undefined);
    const value = kept.get(key);
    return Response.json({ action: method === "PUT" ? "SET" : "GET", key, ...(value === undefined ? {} : { value }) });
  };
  return served;
}

const ok = (output: unknown) => ({ status: "SUCCESS", output: JSON.stringify(output) });

it("is a task for each call in a run, done once, under keys of its scope", async () => {
  const model = new RunModel();
  const { calls } = serve(model.runtime);
  const program = async (io: IO) => [
    await io.store.env.set("a", "k", { n: 1 }),
    await io.store.job.set("b", "k", "text"),
    await io.store.run.set("c", "k", new Date(0) as never),
    await io.store.job.get("d", "k"),
    await io.store.run.has("e", "k"),
    await io.store.env.delete("f", "k"),
    (await io.store.env.get("g", "k")) === undefined,
  ];
  const first = await model.execute(program);
  expect(first).toEqual(ok([{ n: 1 }, "text", "1970-01-01T00:00:00.000Z", "text", true, true, true]));
  const done = [...calls];
  expect(done).toEqual([
    "PUT k",
    "PUT job:job:k",
    "PUT run:run_hello:k",
    "GET job:job:k",
    "HEAD run:run_hello:k",
    "DELETE k",
    "GET k",
  ]);
  expect(await model.execute(program)).toEqual(first);
  expect(calls).toEqual(done);
  expect(JSON.parse(model.named("Key-Value Store Set")[1]?.details ?? "")).toEqual({
    icon: "database-plus",
    properties: [
      { label: "namespace", text: "job" },
      { label: "key", text: "k" },
      { label: "value", text: "text" },
    ],
    style: { style: "minimal" },
    params: { key: "k", value: "text" },
  });
});

it("refuses calls in a run without a cacheKey, also those a key or value could be taken for one in", async () => {
  const model = new RunModel();
  const { calls } = serve(model.runtime);
  const wrong = (io: IO) => [
    io.store.env.get("k"),
    io.store.env.get("cache", ""),
    io.store.env.set("k", "v"),
    io.store.env.set("cache", 1 as never, "v"),
    io.store.env.has("k"),
    io.store.env.delete("k"),
  ];
  const outcome = await model.execute(async (io) =>
    Promise.all(wrong(io).map((call) => call.then(String, ({ code, message }) => `${code}: ${message}`))),
  );
  const text = "BAD_REQUEST: Please provide a non-empty key when accessing the store from inside a run.";
  expect(outcome).toEqual(ok(Array(6).fill(text)));
  expect(calls).toEqual([]);
});

it("is a plain call outside of runs, where a cacheKey is refused", async () => {
  const runtime = new VirtualRuntime();
  const { calls } = serve(runtime);
  const store = new KeyValueStore(new ApiClient(() => ({ apiKey: "tr_dev_x", apiUrl: "http://test" }), runtime));
  expect([await store.set("k/1", [1]), await store.get("k/1"), await store.has("k/1"), await store.has("x")]).toEqual([
    [1],
    [1],
    true,
    false,
  ]);
  expect([await store.delete("k/1"), await store.get("k/1")]).toEqual([true, undefined]);
  const made = calls.length;
  for (const call of [
    store.get("cache", "k"),
    store.get(["cache"], "k"),
    store.set("cache", "k", 1),
    store.delete(["k"] as never),
  ]) {
    await expect(call).rejects.toThrow("Please use the store without a cacheKey when accessing from outside a run.");
  }
  for (const key of ["", ".", "..", "\ud800"]) await expect(store.get(key)).rejects.toMatchObject({ code: "BAD_REQUEST" });
  await expect(store.set("big", "x".repeat(256 * 1024 - 1))).rejects.toMatchObject({ code: "TOO_LARGE" });
  expect(calls).toHaveLength(made);
});

it("waits for a server that is away, in a run", async () => {
  const model = new RunModel();
  const served = serve(model.runtime);
  model.runtime.after = (_ms, callback) => {
    setImmediate(callback);
    return () => {};
  };
  served.down = true;
  const program = (io: IO) => io.store.env.set("set", "k", 1);
  expect(await model.execute(program)).toMatchObject({ status: "SUSPENDED" });
  served.down = false;
  expect(await model.finish(program)).toEqual(ok(1));
});
