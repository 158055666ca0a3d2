import { eventTrigger } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "@/trigger";

export const welcome = client.defineJob({
  id: "welcome-subscriber",
  name: "Welcome a subscriber",
  version: "0.0.1",
  trigger: eventTrigger({ name: "subscriber.created", schema: z.object({ email: z.string().email(), name: z.string() }) }),
  run: async (payload, io, ctx) => {
    await io.logger.info("A new subscriber", { email: payload.email });
    const { list } = await io.runTask("add-to-list", async () => ({ list: "weekly", added: new Date() }), {
      name: "Add to the list",
      icon: "mail",
      properties: [{ label: "Address", text: payload.email }],
    });
    await io.wait("a moment before the mail", 1);
    const mail = await io.runTask(
      "send-mail",
      async (task) => {
        if (task.attempts < 2) throw new Error("The mail server is busy");
        return { subject: `Welcome, ${payload.name}`, attempts: task.attempts };
      },
      { name: "Send the mail", retry: { limit: 3, factor: 1, minTimeoutInMs: 200, maxTimeoutInMs: 200, randomize: false } },
    );
    return { list, mail, job: ctx.job.id };
  },
});
