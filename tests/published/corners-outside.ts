// More jobs of the corners of v2's surface: those that somebody outside has a part in. Of the same app as corners.ts. VENDOR_URL: a service, played by tests/corners.test.ts.
import {
  type ConnectionAuth,
  type EventSpecification,
  EventTrigger,
  IO,
  redactString,
  type Trigger,
  type TriggerIntegration,
} from "@trigger.dev/sdk";
import { client, messageOf, on } from "./corners.ts";

const VENDOR = process.env.VENDOR_URL ?? "";

// Requests of all kinds at one address.
const echo = client.defineHttpEndpoint({
  id: "Echo  Place",
  source: "echo.example",
  title: "Echo",
  properties: [{ label: "Kind", text: "echo" }],
  examples: [{ id: "one", name: "One", payload: { method: "POST" } }],
  verify: async (request) => {
    const body = await request.text();
    return body.includes("forged") ? { success: false, reason: "forged" } : { success: true };
  },
});
client.defineJob({
  ...on("echoes"),
  id: "echoes",
  trigger: echo.onRequest(),
  run: async (request) => ({
    method: request.method,
    url: [new URL(request.url).searchParams.get("q"), new URL(request.url).pathname.startsWith("/api/v1/http-endpoints/")],
    header: request.headers.get("X-Some-Header"),
    type: request.headers.get("content-type"),
    body: await request.text(),
  }),
});
client.defineJob({
  ...on("echo-filtered"),
  id: "echo-filtered",
  trigger: echo.onRequest({
    filter: {
      method: ["PUT", "PATCH"],
      headers: { "X-Some-Header": [{ $startsWith: "va" }] },
      query: { q: ["1", "2"] },
      body: { list: [{ $includes: 2 }], deep: { a: [{ $isNull: true }] } },
    },
  }),
  run: async (request) => ({ method: request.method, json: await request.json() }),
});
client.defineJob({
  ...on("echo-form"),
  id: "echo-form",
  trigger: echo.onRequest({ filter: { headers: { "content-type": [{ $startsWith: "multipart/form-data" }] } } }),
  run: async (request) =>
    Object.fromEntries(
      [...(await request.formData()).entries()].map(([name, value]) => [name, typeof value === "string" ? value : "a file"]),
    ),
});

// Answered by the app: with its own status, after its own look, and badly.
client
  .defineHttpEndpoint({
    id: "answers",
    source: "answers.example",
    verify: async (request) =>
      request.headers.get("x-key") === "right" ? { success: true } : { success: false, reason: "wrong key" },
    respondWith: {
      filter: { method: ["GET", "POST"], headers: { "x-answer": [{ $exists: true } as never] } },
      handler: async (request, verify) => {
        const how = request.headers.get("x-answer");
        if (how === "throw") throw new Error("the handler threw");
        if (how === "empty") return new Response(null, { status: 204 });
        const verdict = await verify();
        return Response.json(
          { how, verdict, body: request.method === "GET" ? null : await request.text() },
          { status: verdict.success ? 200 : 403, headers: { "x-own": "yes" } },
        );
      },
    },
  })
  .onRequest();
client.defineHttpEndpoint({ id: "closed", source: "closed.example", enabled: false, verify: async () => ({ success: true }) });

// Credentials found at run time.
class Vendor implements TriggerIntegration {
  readonly metadata = { id: "vendor", name: "Vendor", instructions: "none" };
  constructor(
    readonly id: string,
    readonly authSource: "HOSTED" | "LOCAL",
    readonly auth?: ConnectionAuth,
    readonly where?: { io: IO; key: string },
  ) {}
  cloneForRun(io: IO, key: string, auth?: ConnectionAuth): Vendor {
    return new Vendor(this.id, this.authSource, auth, { io, key });
  }
  told(key: string) {
    return this.where?.io.runTask(key, async () => ({ auth: this.auth ?? null, key: this.where?.key ?? null }), {
      connectionKey: this.where?.key,
      name: "Told",
    });
  }
}
const resolved = new Vendor("resolved", "LOCAL");
const own = new Vendor("own", "LOCAL");
client.defineAuthResolver(resolved, async (ctx, integration) => {
  if (ctx.account?.id === "throws") throw new TypeError("no such account");
  if (ctx.account?.id === "none") return undefined;
  if (ctx.account?.id === "key") return { type: "apiKey", token: "a key", additionalFields: { subdomain: "acme" } };
  return { type: "oauth", token: `of ${ctx.account?.id ?? "nobody"} by ${integration.id}` };
});
client.defineJob({
  ...on("resolves"),
  id: "resolves",
  integrations: { first: resolved, second: resolved, own },
  run: async (_payload, io) => [await io.first.told("a"), await io.second.told("b"), await io.own.told("c")],
});

// The server's own requests.
client.defineJob({
  ...on("background"),
  id: "background",
  run: async (_payload, io) => {
    const quick = { factor: 1, minTimeoutInMs: 10, maxTimeoutInMs: 20, randomize: false };
    const failing = async (work: Promise<unknown>) =>
      io.try(
        () => work,
        async (error) => messageOf(error),
      );
    const text = await io.backgroundFetch("text", `${VENDOR}/text`);
    const put = await io.backgroundFetchResponse("put", `${VENDOR}/echo`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", "x-key": redactString`a ${"b"} c ${"d"}` },
      body: '{"n":1}',
    });
    const limited = await io.backgroundFetch("limited", `${VENDOR}/limited`, undefined, {
      retry: {
        "429": {
          strategy: "headers",
          limitHeader: "x-limit",
          remainingHeader: "x-remaining",
          resetHeader: "X-Reset",
          resetFormat: "unix_timestamp_in_ms",
        },
      },
    });
    const pattern = await io.backgroundFetch("pattern", `${VENDOR}/twice/a`, undefined, {
      retry: {
        "500-502": { strategy: "backoff", limit: 9, ...quick },
        "50x,418": { strategy: "backoff", limit: 3, ...quick, bodyFilter: { code: ["busy"] } },
      },
    });
    const unfit = await failing(
      io.backgroundFetch("unfit", `${VENDOR}/twice/b`, undefined, {
        retry: { all: { strategy: "backoff", limit: 9, ...quick, bodyFilter: { code: ["else"] } } },
      }),
    );
    const gives = await failing(
      io.backgroundFetch("gives up", `${VENDOR}/always`, undefined, {
        retry: { "5xx": { strategy: "backoff", limit: 2, ...quick } },
      }),
    );
    const slow = await failing(io.backgroundFetch("slow", `${VENDOR}/slow`, undefined, { timeout: { durationInMs: 1000 } }));
    const polled = await io.backgroundPoll<{ n: number }>("poll", {
      url: `${VENDOR}/poll`,
      interval: 10,
      timeout: 60,
      responseFilter: { status: [200, 202], headers: { "X-State": [{ $startsWith: "rea" }] }, body: { n: [{ $gte: 1 }] } },
    });
    return {
      text,
      put: { status: put.status, data: put.data, header: put.headers["x-own"] },
      limited,
      pattern,
      unfit,
      gives,
      slow,
      polled,
    };
  },
});

// Schedules by odd keys, registered twice, and ended though there is none.
const plan = client.defineDynamicSchedule({ id: "Odd plan" });
client.defineJob({ id: "odd-planned", name: "Odd planned", version: "1.0.0", trigger: plan, run: async () => "ran" });
client.defineJob({
  ...on("plans"),
  id: "plans",
  run: async (_payload, io) => {
    const first = await plan.register("a key/ä ?", {
      type: "interval",
      options: { seconds: 86_400 },
      metadata: { n: [1, null] },
    });
    const twice = await io.registerCron("twice", plan, "a key/ä ?", { cron: "0 9 * * 1-5" });
    const ended = await io.unregisterCron("end", plan, "a key/ä ?");
    const none = await plan.unregister("never there").catch((error: Error) => error.message.length > 0);
    return { first, twice, ended, none };
  },
});

// Triggers of one's own: an event described elsewhere, whose payload is a request to be verified; and one that is written whole.
const asRequest = {
  name: "corners.own",
  title: "Own",
  source: "trigger.dev",
  icon: "bolt",
  filter: { kind: ["own"] },
  parsePayload: (payload: unknown) =>
    new Request("https://own.example", { method: "POST", headers: { "x-key": (payload as { key: string }).key }, body: "own" }),
};
client.defineJob({
  id: "own-event",
  name: "Own event",
  version: "1.0.0",
  trigger: new EventTrigger({
    event: asRequest,
    filter: { n: [{ $gt: 0 }], kind: ["another"] },
    verify: async (request) =>
      request.headers.get("x-key") === "right" ? { success: true } : { success: false, reason: "wrong key" },
  }),
  run: async (request, io) => ({ body: await request.text(), io: io instanceof IO }),
});

class OwnTrigger implements Trigger<EventSpecification<{ n: number }>> {
  readonly preprocessRuns = false;
  readonly event = {
    name: "corners.whole",
    title: "Whole",
    source: "own",
    icon: "bolt",
    parsePayload: (payload: unknown) => ({ n: Number((payload as { n: unknown }).n) }),
  };
  toJSON() {
    return { type: "static" as const, title: "Whole", rule: { event: "corners.whole", source: "own" } };
  }
  attachToJob() {}
  async verifyPayload({ n }: { n: number }) {
    return n > 0 ? { success: true as const } : { success: false as const, reason: "not positive" };
  }
}
client.defineJob({
  id: "own-trigger",
  name: "Own trigger",
  version: "1.0.0",
  trigger: new OwnTrigger(),
  run: async ({ n }) => ({ n }),
});

// Somebody else is told of the first event that fits.
client.defineJob({
  ...on("dispatches"),
  id: "dispatches",
  run: async (_payload, io) =>
    io.runTask("ask", async () => {
      const url = `${process.env.NOTE_URL}/dispatched`;
      const rule = { url, name: ["corners.first", "corners.other"], filter: { n: [{ $gt: 1 }] }, timeoutInSeconds: 60 };
      const [first, again] = [
        await client.createEphemeralEventDispatcher(rule),
        await client.createEphemeralEventDispatcher(rule),
      ];
      return { same: first.id === again.id };
    }),
});
