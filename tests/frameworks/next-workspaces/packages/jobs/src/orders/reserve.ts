import { invokeTrigger } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "../client";

const STOCK: Record<string, number> = { mug: 4, pen: 0 };

export const reserve = client.defineJob({
  id: "reserve-stock",
  name: "Reserve stock",
  version: "1.2.0",
  trigger: invokeTrigger({ schema: z.object({ sku: z.string(), count: z.number().int().positive() }) }),
  run: async ({ sku, count }, io) =>
    io.runTask(
      ["reserve", sku],
      async () => {
        const left = (STOCK[sku] ?? 0) - count;
        if (left < 0) throw new Error(`Not enough of ${sku}`);
        return { sku, left };
      },
      { name: `Reserve ${sku}`, icon: "box" },
    ),
});
