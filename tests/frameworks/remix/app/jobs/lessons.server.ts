import { eventTrigger } from "@trigger.dev/sdk";
import { client } from "~/trigger.server";

export const course = client.defineJob({
  id: "run-course",
  name: "Run a course",
  version: "0.0.1",
  trigger: eventTrigger({ name: "course.began" }),
  run: async (payload, io) => {
    const status = await io.createStatus("progress", { label: "Under way", state: "loading" });
    const sent: string[] = [];
    for (const lesson of payload.lessons) {
      sent.push(await io.runTask(["send", lesson], async () => `${lesson} to ${payload.pupil}`, { name: `Send ${lesson}` }));
      await io.wait(["after", lesson], 1);
    }
    await status.update("done", { label: "Over", state: "success", data: { sent: sent.length } });
    return { sent };
  },
});
