import { eventTrigger } from "@trigger.dev/sdk";
import { client } from "@/trigger";

const guestbook = client.defineHttpEndpoint({
  id: "guestbook",
  source: "guestbook.example",
  verify: async (request) => ({ success: request.headers.get("x-token") === "hush", reason: "not our token" }),
});

client.defineJob({
  id: "moderate-comment",
  name: "Moderate a comment",
  version: "0.1.0",
  trigger: guestbook.onRequest(),
  run: async (request, io) => {
    const { text } = await request.json();
    const score = await io.runTask("score", async () => text.length, { name: "Score" });
    await io.wait("for second thoughts", 1);
    await io.sendEvent("moderated", { name: "comment.moderated", payload: { text, score } });
    return { score, published: score < 40 };
  },
});

client.defineJob({
  id: "count-comments",
  name: "Count comments",
  version: "0.1.0",
  trigger: eventTrigger({ name: "comment.moderated" }),
  run: async (payload, io) => {
    const counted = await io.runTask("count", async () => ({ words: payload.text.split(" ").length }), { name: "Count" });
    return { ...counted, score: payload.score };
  },
});
