import { eventTrigger } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "../client";
import { reserve } from "./reserve";

export const order = z.object({ id: z.string(), lines: z.array(z.object({ sku: z.string(), count: z.number() })) });

client.defineJob({
  id: "place-order",
  name: "Place an order",
  version: "1.2.0",
  trigger: eventTrigger({ name: "order.placed", schema: order }),
  run: async (payload, io) => {
    const reserved: string[] = [];
    for (const line of payload.lines) {
      const run = await reserve.invokeAndWaitForCompletion(`reserve-${line.sku}`, line);
      reserved.push(run.ok ? `${run.output.sku}: ${run.output.left} left` : `${line.sku}: ${run.status}`);
    }
    await io.wait("until the parcel is packed", 1);
    const parcel = await io.runTask("pack", async () => `parcel-${payload.id}`, { name: "Pack" });
    return { reserved, parcel };
  },
});
