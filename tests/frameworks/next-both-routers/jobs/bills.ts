import { eventTrigger, verifyRequestSignature } from "@trigger.dev/sdk";
import { billing } from "@/trigger";

billing.defineJob({
  id: "send-bill",
  name: "Send a bill",
  version: "0.1.0",
  trigger: eventTrigger({ name: "bill.due" }),
  run: async (payload, io) => {
    await io.runTask("post", async () => ({ to: payload.pupil }), { name: "Post the bill", icon: "mail" });
    return `${payload.pupil}: ${payload.seats * 90} €`;
  },
});

const bank = billing.defineHttpEndpoint({
  id: "bank",
  source: "bank.example",
  verify: async (request) =>
    verifyRequestSignature({ request, headerName: "x-signature", secret: process.env.BANK_SECRET ?? "", algorithm: "sha256" }),
});

billing.defineJob({
  id: "book-transfer",
  name: "Book a transfer",
  version: "0.1.0",
  trigger: bank.onRequest(),
  run: async (request, io) => {
    const body = await request.text();
    return io.runTask("book", async () => ({ cents: JSON.parse(body).cents, bytes: Buffer.byteLength(body) }));
  },
});
