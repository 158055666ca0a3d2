import { eventTrigger, verifyRequestSignature } from "@trigger.dev/sdk";
import { client } from "@/trigger";

const customs = client.defineHttpEndpoint({
  id: "customs",
  source: "customs.example",
  verify: async (request) =>
    verifyRequestSignature({
      request,
      headerName: "x-signature",
      headerEncoding: "base64",
      secret: process.env.CUSTOMS_SECRET ?? "",
      algorithm: "sha256",
    }),
});

client.defineJob({
  id: "clear-ship",
  name: "Clear a ship",
  version: "1.0.0",
  trigger: customs.onRequest(),
  run: async (request, io) => {
    const { ship, holds } = JSON.parse(await request.text());
    const seen = await io.runTask("inspect", async () => {
      const places: string[] = [];
      for (const hold of holds) places.push(await io.runTask(["hold", hold], async () => `${ship}/${hold}`));
      return places;
    });
    await io.wait("until the tide", 1);
    await io.sendEvent("moor", { name: "ship.cleared", payload: { ship } });
    return { seen };
  },
});

client.defineJob({
  id: "moor-ship",
  name: "Moor a ship",
  version: "1.0.0",
  trigger: eventTrigger({ name: "ship.cleared" }),
  run: async (payload, io) => {
    const berth = await io.runTask(
      "berth",
      async (task) => {
        if (task.attempts < 2) throw new Error("No berth is free");
        return task.attempts;
      },
      { retry: { limit: 3, factor: 1, minTimeoutInMs: 200, maxTimeoutInMs: 200 } },
    );
    // What a function of Vercel's edge has, and Node has not.
    return { ship: payload.ship, berth, runtime: (globalThis as { EdgeRuntime?: string }).EdgeRuntime };
  },
});
