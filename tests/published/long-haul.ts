// Tests: a job of a v2 user on a platform that gives a function little time: many short tasks, and one job whose only task never fits.
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "long-haul" });

const note = (line: string) => appendFileSync(process.env.DIARY ?? "", `${line}\n`);

client.defineJob({
  id: "haul",
  name: "Haul",
  version: "1.0.0",
  trigger: eventTrigger({ name: "haul" }),
  run: async (payload: { legs: number; legMs: number }, io) => {
    const done: number[] = [];
    for (let leg = 0; leg < payload.legs; leg++) {
      const at = await io.runTask(`leg-${leg}`, async () => {
        note(`begin ${leg}`);
        await pause(payload.legMs);
        note(`end ${leg}`);
        return leg;
      });
      done.push(at);
    }
    return { done };
  },
});
