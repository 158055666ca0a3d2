// A user signed up: ask Clerk who it is, wait a little, and send one welcome message, whatever crashes in between.
import { createClerkClient } from "@clerk/backend";
import { clerk, client } from "./clerk.ts";

client.defineJob({
  id: "welcome-clerk-user",
  name: "Welcome a Clerk user",
  version: "1.0.0",
  trigger: clerk.onRequest({ filter: { body: { type: ["user.created"] } } }),
  run: async (request, io) => {
    const event: { data: { id: string } } = await request.json();

    const user = await io.runTask("fetch user", () => fetchUser(event.data.id), {
      name: "Fetch the user",
      icon: "clerk",
      params: { userId: event.data.id },
      retry: { limit: 8, factor: 2, minTimeoutInMs: 500, maxTimeoutInMs: 30_000, randomize: true },
    });

    await io.wait("before the welcome", Number(process.env.WELCOME_DELAY_SECONDS ?? "3"));

    const message = await io.runTask("send welcome", (task) => sendWelcome(user, task.idempotencyKey), {
      name: "Send the welcome message",
      icon: "mail",
      params: { to: user.email },
      retry: { limit: 8, factor: 2, minTimeoutInMs: 500, maxTimeoutInMs: 30_000, randomize: true },
    });

    return { welcomed: user.email, messageId: message.id };
  },
});

async function fetchUser(id: string) {
  const apiUrl = process.env.CLERK_API_URL;
  const api = createClerkClient({ secretKey: process.env.CLERK_SECRET_KEY ?? "", ...(apiUrl ? { apiUrl } : {}) });
  const user = await api.users.getUser(id);
  return { id: user.id, name: user.firstName ?? "there", email: user.primaryEmailAddress?.emailAddress ?? "" };
}

// The task's idempotency key stays the same over every retry and crash: the receiver drops what it has already taken.
async function sendWelcome(user: { name: string; email: string }, idempotencyKey: string) {
  const response = await fetch(process.env.WELCOME_URL ?? "", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
    body: JSON.stringify({ to: user.email, text: `Welcome, ${user.name}!` }),
  });
  if (!response.ok) throw new Error(`The mail service answered ${response.status}.`);
  const { id }: { id: string } = await response.json();
  return { id };
}
