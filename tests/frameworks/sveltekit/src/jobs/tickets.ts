import { eventTrigger } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "../trigger";

const BUSY: Record<string, boolean> = { Ada: true, Grace: false };

client.defineJob({
  id: "assign-ticket",
  name: "Assign a ticket",
  version: "0.1.0",
  trigger: eventTrigger({ name: "ticket.opened", schema: z.object({ ticket: z.number(), words: z.string() }) }),
  run: async (payload, io) => {
    const urgent = await io.runTask("how-urgent", async () => /now|asap/i.test(payload.words), { name: "How urgent is it?" });
    const asked = await io.parallel("ask", ["Ada", "Grace"], async (person) =>
      io.runTask(`ask-${person}`, async () => ({ person, free: !BUSY[person] }), { name: `Ask ${person}` }),
    );
    await io.wait("a moment for them to answer", 1);
    const free = asked.find((answer) => answer.free);
    return io.try(
      async () =>
        io.runTask("assign", async () => {
          if (!urgent) throw new Error("It can wait");
          return { ticket: payload.ticket, to: free?.person };
        }),
      async (error) => ({ ticket: payload.ticket, later: error instanceof Error }),
    );
  },
});
