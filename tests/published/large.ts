// Tests: a job of a v2 user that moves large texts: in its payload, in its tasks' outputs, through a wait, and in its own output.
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "large" });

client.defineJob({
  id: "carry",
  name: "Carry",
  version: "1.0.0",
  trigger: eventTrigger({ name: "carry" }),
  run: async (payload: { text: string; pieces: number; size: number }, io) => {
    const carry = (piece: number) => io.runTask(`piece-${piece}`, async () => `${piece} ${"a".repeat(payload.size)}`);
    for (let piece = 0; piece < payload.pieces; piece++) await carry(piece);
    await io.wait("rest", 1);
    const last = await carry(payload.pieces);
    return { got: payload.text.length, last };
  },
});
