// Tests: a job that keeps values by key, in every scope, and one that reads them back. Written against the published SDK's types; copied unchanged to where
// `@trigger.dev/sdk` is the published package, and to ours.
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "kept" });

const KEY = "k/é ?";

client.defineJob({
  id: "keep",
  name: "Keep",
  version: "1.0.0",
  trigger: eventTrigger({ name: "kept.keep" }),
  run: async (payload: { tag: string }, io, ctx) => {
    const { env, job, run } = io.store;
    const missing = await env.get("nothing yet", "nothing");
    const set = await env.set("set env", KEY, { tag: payload.tag, at: new Date(0), gone: undefined, list: [1, null] });
    const own = [await job.set("set job", KEY, "of the job"), await run.set("set run", KEY, 7)];
    const got = [await env.get("get env", KEY), await job.get("get job", KEY), await run.get("get run", KEY)];
    const has = [await env.has("has", KEY), await env.has("has not", "nothing"), await run.has("run has", KEY)];
    await env.set("undefined", "undefined", undefined as unknown as null);
    const nothing = [await env.get("get undefined", "undefined"), await env.has("has undefined", "undefined")];
    await io.wait("a moment", 1);
    // Set by its client, which in a run takes a cacheKey too.
    await client.store.env.set("by client", "by client", [payload.tag, ctx.job.id]);
    const replayed = await env.get("nothing yet 2", "nothing");
    const deleted = [await run.delete("delete", KEY), await run.delete("delete again", KEY), await run.has("is gone", KEY)];
    const inside = await io.runTask("outer", async (_task, inner) => inner.store.job.get("inner", KEY), { name: "Outer" });
    const withoutCacheKey = await client.store.env.get("by client").catch((error: Error) => error.message);
    return {
      missing: missing === undefined,
      set,
      own,
      got,
      has,
      nothing,
      replayed: replayed === undefined,
      deleted,
      inside,
      withoutCacheKey,
    };
  },
});

client.defineJob({
  id: "look",
  name: "Look",
  version: "1.0.0",
  trigger: eventTrigger({ name: "kept.look" }),
  run: async (_payload, io) => ({
    env: await io.store.env.get("env", KEY),
    job: (await io.store.job.get("job", KEY)) === undefined,
    run: (await io.store.run.get("run", KEY)) === undefined,
    client: await io.store.env.get("client", "by client"),
  }),
});

client.defineJob({
  id: "too-much",
  name: "Too much",
  version: "1.0.0",
  trigger: eventTrigger({ name: "kept.too-much" }),
  run: async (_payload, io) => {
    const longest = "x".repeat(256 * 1024 - 2);
    const kept = await io.store.env.set("fits", "big", longest);
    return { fits: kept.length, refused: await io.store.env.set("too much", "big", `${longest}x`).then(String, () => "refused") };
  },
});
