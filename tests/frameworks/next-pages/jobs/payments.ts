import { eventTrigger, verifyRequestSignature } from "@trigger.dev/sdk";
import { client } from "@/trigger";

const payments = client.defineHttpEndpoint({
  id: "payments",
  source: "payments.example",
  icon: "credit-card",
  verify: async (request) =>
    verifyRequestSignature({
      request,
      headerName: "x-signature",
      headerEncoding: "hex",
      secret: process.env.PAYMENTS_SECRET ?? "",
      algorithm: "sha256",
    }),
});

client.defineJob({
  id: "take-payment",
  name: "Take a payment",
  version: "1.0.0",
  trigger: payments.onRequest({ filter: { body: { type: ["payment.succeeded"] } } }),
  run: async (request, io) => {
    const body = await request.text();
    const { order } = JSON.parse(body);
    await io.wait("until it is booked", 1);
    await io.sendEvent("paid", { name: "order.paid", payload: { order } });
    return { order, bytes: Buffer.byteLength(body) };
  },
});

client.defineJob({
  id: "ship-order",
  name: "Ship an order",
  version: "1.0.0",
  trigger: eventTrigger({ name: "order.paid" }),
  run: async (payload, io) => {
    const parcels = await io.parallel("pack", ["mug", "pen"], async (item, index) =>
      io.runTask(`pack-${item}`, async () => `${index + 1}: ${item}`, { name: `Pack ${item}` }),
    );
    return { order: payload.order, parcels };
  },
});
