import { eventTrigger } from "@trigger.dev/sdk";
import { client } from "../trigger.server";

export const term = client.defineJob({
  id: "open-term",
  name: "Open a term",
  version: "0.0.1",
  trigger: eventTrigger({ name: "term.planned" }),
  run: async (payload, io) => {
    const rooms = await io.parallel("rooms", payload.classes, async (name: string, index) =>
      io.runTask(`room-${name}`, async () => `${name} in room ${index + 1}`, { name: `A room for ${name}` }),
    );
    await io.wait("until it begins", 1);
    const saved = await io.store.job.set("remember", "rooms", rooms.length);
    return { rooms, saved };
  },
});
