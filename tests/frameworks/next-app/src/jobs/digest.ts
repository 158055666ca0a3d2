import { eventTrigger, intervalTrigger, invokeTrigger } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "@/trigger";

const article = client.defineJob({
  id: "shorten-article",
  name: "Shorten an article",
  version: "0.0.1",
  trigger: invokeTrigger({ schema: z.object({ text: z.string() }) }),
  run: async (payload, io) =>
    io.runTask("first-words", async () => payload.text.split(" ").slice(0, 2).join(" "), { name: "First words" }),
});

client.defineJob({
  id: "send-digest",
  name: "Send the digest",
  version: "0.0.1",
  trigger: eventTrigger({ name: "digest.due", schema: z.object({ articles: z.array(z.string()) }) }),
  run: async (payload, io) => {
    const runs = await article.batchInvokeAndWaitForCompletion(
      "shorten",
      payload.articles.map((text) => ({ payload: { text } })),
    );
    return { lines: runs.map((run) => (run.ok ? run.output : run.error)) };
  },
});

client.defineJob({
  id: "clean-up-list",
  name: "Clean up the list",
  version: "0.0.1",
  trigger: intervalTrigger({ seconds: 86_400 }),
  run: async (payload, io) => {
    await io.logger.info("Cleaning up", { since: payload.lastTimestamp });
  },
});
