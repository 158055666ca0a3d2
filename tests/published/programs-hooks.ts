// Tests: programs that begin with a request of somebody else, and those that say how they ended, in the style of apps written for v2. Started, and what must come out told, by
// tests/many-programs.test.ts; copied unchanged to where `@trigger.dev/sdk` is the published package, and to ours.
import { eventTrigger, verifyRequestSignature } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "./programs.ts";
import { vendor } from "./programs-vendor.ts";

const SECRET = "hush";

const forge = client.defineHttpEndpoint({
  id: "forge.example",
  source: "forge.example",
  icon: "github",
  verify: (request) => verifyRequestSignature({ request, headerName: "x-signature-256", secret: SECRET, algorithm: "sha256" }),
});
client.defineJob({
  id: "label-issue",
  name: "Label an issue",
  version: "1.0.0",
  trigger: forge.onRequest({ filter: { headers: { "x-event": ["issues"] }, body: { action: ["opened"] } } }),
  run: async (request, io) => {
    const body = (await request.json()) as { issue: { title: string } };
    const label = await io.runTask("label", async () => (body.issue.title.includes("crash") ? "bug" : "question"), {
      name: "Label",
    });
    await io.logger.info("Body", body);
    return { label, method: request.method };
  },
});
client.defineJob({
  id: "thank-for-star",
  name: "Thank for a star",
  version: "1.0.0",
  trigger: forge.onRequest({ filter: { headers: { "x-event": ["star"] } } }),
  run: async (request) => ({ text: (await request.text()).length }),
});

const forms = client.defineHttpEndpoint({
  id: "forms",
  source: "forms.example",
  verify: async (request) => ({ success: new URL(request.url).searchParams.get("token") === SECRET, reason: "wrong token" }),
});
client.defineJob({
  id: "contact-form",
  name: "Contact form",
  version: "1.0.0",
  trigger: forms.onRequest(),
  run: async (request, io) => {
    const fields = new URLSearchParams(await request.text());
    const message = await io.runTask("store", async () => ({ from: fields.get("from"), text: fields.get("text") }), {
      name: "Store",
    });
    return message;
  },
});

const chat = client.defineHttpEndpoint({
  id: "chat",
  source: "chat.example",
  verify: async () => ({ success: true }),
  respondWith: {
    filter: { method: ["POST"], headers: { "x-type": ["challenge"] } },
    skipTriggeringRuns: true,
    handler: async (request) => Response.json({ challenge: ((await request.json()) as { challenge: string }).challenge }),
  },
});
client.defineJob({
  id: "answer-chat",
  name: "Answer in the chat",
  version: "1.0.0",
  trigger: chat.onRequest({ filter: { body: { text: [{ $ignoreCaseEquals: "PING" }] } } }),
  run: async (request, io) => {
    const { channel } = (await request.json()) as { channel: string };
    return io.runTask("say", () => vendor<{ ok: boolean }>("mail", { to: channel, about: "pong" }), { name: "Say pong" });
  },
});

client.defineJob({
  id: "deploy",
  name: "Deploy, and tell how it went",
  version: "1.0.0",
  trigger: eventTrigger({ name: "hooks.deploy", schema: z.object({ commit: z.string(), breaks: z.boolean().optional() }) }),
  onSuccess: async (run) => {
    await vendor(`told/deployed-${(run.output as { commit: string }).commit}`, { output: run.output, of: run.job.id });
  },
  onFailure: async (run) => {
    await vendor("told/not-deployed", { of: run.job.id, status: run.status, payload: run.invocation.payload });
  },
  run: async ({ commit, breaks }, io) => {
    await io.runTask("build", async () => `built ${commit}`, { name: "Build", icon: "hammer" });
    if (breaks) throw new Error(`${commit} does not start`);
    return { commit, url: `https://${commit}.example` };
  },
});

const secrets = { api: "key-123", deep: [{ token: "tok-9", name: "n" }] };
client.defineJob({
  id: "rotate-keys",
  name: "Rotate keys that nobody may see",
  version: "1.0.0",
  trigger: eventTrigger({ name: "hooks.rotate" }),
  run: async (_payload, io) => {
    const made = await io.runTask("make", async () => secrets, { name: "Make", redact: { paths: ["api", "deep.0.token"] } });
    return { works: made.api.length + (made.deep[0]?.token.length ?? 0) };
  },
});

client.defineJob({
  id: "pick-by-context",
  name: "Only what comes from the app itself",
  version: "1.0.0",
  trigger: eventTrigger({
    name: "hooks.saved",
    source: "app",
    filter: { size: [{ $between: [1, 10] }], draft: [{ $anythingBut: true }] },
  }),
  run: async (payload: { size: number }, _io, ctx) => ({
    size: payload.size,
    by: ctx.event.context?.by,
    account: ctx.account?.id,
  }),
});
