import { eventTrigger, isTriggerError } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "@/trigger";

export const enrol = client.defineJob({
  id: "enrol-pupil",
  name: "Enrol a pupil",
  version: "0.1.0",
  trigger: eventTrigger({ name: "pupil.enrolled", schema: z.object({ name: z.string(), courses: z.array(z.string()) }) }),
  run: async (payload, io, ctx) => {
    const seats: string[] = [];
    for (const course of payload.courses) {
      try {
        const seat = await io.runTask(`seat-${course}`, async () => {
          return io.runTask("find", async () => {
            if (course === "alchemy") throw new Error("There is no such course");
            return `${course} for ${payload.name}`;
          });
        });
        seats.push(seat);
      } catch (error) {
        if (isTriggerError(error)) throw error;
        await io.logger.warn("No seat", { course });
      }
    }
    await io.wait("until the term begins", 1);
    await io.sendEvent("bill", {
      name: "bill.due",
      payload: { pupil: payload.name, seats: seats.length },
      context: { by: ctx.job.id },
    });
    return { seats, dice: typeof (await io.random("dice", { min: 1, max: 6, round: true })) };
  },
});
