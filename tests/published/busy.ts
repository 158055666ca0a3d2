// Tests: a job of many steps, which counts how often it performs them and tells where it is told to when it is done. Written against the published SDK's types; copied unchanged to
// where `@trigger.dev/sdk` is the published package, and to ours.
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "busy" });

let performed = 0;

client.defineJob({
  id: "many-steps",
  name: "Many steps",
  version: "1.0.0",
  trigger: eventTrigger({ name: "busy.steps" }),
  run: async (payload: { steps: number; tell: string }, io) => {
    const steps: number[] = [];
    for (let n = 0; n < payload.steps; n++) {
      steps.push(
        await io.runTask(`step ${n}`, async () => {
          performed++;
          return n;
        }),
      );
    }
    await io.sendEvent("sent", { name: "busy.nobody", payload: {} });
    await io.runTask("tell", async () => {
      await fetch(payload.tell, { method: "POST", body: JSON.stringify({ performed, steps }) });
    });
  },
});
