// Tests: a job that tells people how far it is, and others by what they do wrong. Written against the published SDK's types; copied unchanged to where
// `@trigger.dev/sdk` is the published package, and to ours.
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "watched" });

client.defineJob({
  id: "draw",
  name: "Draw",
  version: "1.0.0",
  trigger: eventTrigger({ name: "watched.draw" }),
  run: async (payload: { tag: string }, io, ctx) => {
    const images = await io.createStatus("images", { label: "Drawing", state: "loading", data: { done: 0, of: [payload.tag] } });
    const mails = await io.createStatus(["mails", 7], { label: "" });
    await io.wait("a moment", 1);
    const half = await images.update("half", { data: { done: 0.5 } });
    const drawn = await images.update("drawn", { label: "Drawn", state: "success" });
    await mails.update("failed", { label: "Mails", state: "failure" });
    const seen = await io.runTask("seen", async () => client.getRunStatuses(ctx.run.id));
    return { half, drawn, seen: seen.statuses };
  },
});

client.defineJob({
  id: "draw-badly",
  name: "Draw badly",
  version: "1.0.0",
  trigger: eventTrigger({ name: "watched.badly" }),
  run: async (_payload, io) => {
    await io.createStatus("images", { label: "Drawing", state: "drawing" as "loading" });
  },
});
