import { env } from "cloudflare:workers";
import { eventTrigger, invokeTrigger } from "@trigger.dev/sdk";
import { client } from "./trigger";

const harbour = client.defineHttpEndpoint({
  id: "harbour",
  source: "harbour.example",
  verify: async (request) => ({ success: request.headers.get("x-token") === env.HARBOUR_TOKEN }),
});

const flash = client.defineJob({
  id: "flash",
  name: "Flash",
  version: "1.0.0",
  trigger: invokeTrigger(),
  run: async (payload, io) => io.runTask("lamp", async () => `flash ${payload.times}`),
});

client.defineJob({
  id: "answer-ship",
  name: "Answer a ship",
  version: "1.0.0",
  trigger: harbour.onRequest(),
  run: async (request, io) => {
    const bytes = new Uint8Array(await request.arrayBuffer());
    const name = await io.runTask("read", async () => io.runTask("decode", async () => new TextDecoder().decode(bytes)));
    const answer = await flash.invokeAndWaitForCompletion("flash", { times: bytes.length });
    await io.sendEvent("log", { name: "ship.answered", payload: { name } });
    return { name, answer: answer.ok && answer.output };
  },
});

client.defineJob({
  id: "keep-log",
  name: "Keep the log",
  version: "1.0.0",
  trigger: eventTrigger({ name: "ship.answered" }),
  run: async (payload, io) => {
    const lines = await io.parallel("lines", ["seen", "answered"], async (word) =>
      io.runTask(word, async () => `${payload.name} ${word}`, { name: word }),
    );
    await io.wait("until the ink is dry", 1);
    // So Cloudflare's runtime calls itself.
    return { lines, runtime: navigator.userAgent };
  },
});
