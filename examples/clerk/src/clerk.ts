// Clerk tells this app what happens to its users: one endpoint that verifies Clerk's signature, and a job that logs what arrived.
import { TriggerClient } from "@trigger.dev/sdk";
import { Webhook, WebhookVerificationError } from "svix";

export const client = new TriggerClient({ id: "clerk-example" });

export const clerk = client.defineHttpEndpoint({
  id: "clerk.com",
  title: "Clerk",
  source: "clerk.com",
  icon: "clerk",
  verify,
});

client.defineJob({
  id: "http-clerk",
  name: "HTTP Clerk",
  version: "1.0.0",
  enabled: true,
  trigger: clerk.onRequest(),
  run: async (request, io, ctx) => {
    const body = await request.json();
    await io.logger.info("Body", body);
  },
});

async function verify(request: Request): Promise<{ success: boolean; reason?: string }> {
  const body = await request.text();
  const id = request.headers.get("svix-id");
  const timestamp = request.headers.get("svix-timestamp");
  const signature = request.headers.get("svix-signature");
  if (!id && !timestamp && !signature) return { success: false, reason: "Missing svix headers" };
  try {
    const webhook = new Webhook(process.env.CLERK_WEBHOOK_SIGNING_SECRET ?? "");
    webhook.verify(body, { "svix-id": id ?? "", "svix-timestamp": timestamp ?? "", "svix-signature": signature ?? "" });
    return { success: true };
  } catch (error) {
    console.error(error);
    return { success: false, reason: error instanceof WebhookVerificationError ? error.message : "Unknown error" };
  }
}
