// The mock API's catalogue: one full entry and two that only make the list look like one. Called by routes.ts.
import type { CatalogueEntry } from "@holdfast/protocol";
import { clerkUser } from "./samples.ts";

const CODE = `import { TriggerClient } from "@holdfast/sdk";
import { Webhook } from "svix";

const client = new TriggerClient({ id: "clerk-example" });

// Every request Clerk sends, once its signature is right, is one run of each job below.
const clerk = client.defineHttpEndpoint({
  id: "clerk.com",
  title: "Clerk",
  source: "clerk.com",
  icon: "clerk",
  verify: async (request) => {
    const body = await request.text();
    return check(body, request.headers);
  },
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
`;

const bare = { docsUrl: "https://example.org/docs", secretEnv: null, signature: null, events: [], samples: [] };

export const CATALOGUE: CatalogueEntry[] = [
  {
    id: "clerk",
    name: "Clerk",
    category: "Authentication",
    summary: "Users, sessions and organisations. Webhooks signed by Svix.",
    docsUrl: "https://clerk.com/docs/webhooks/overview",
    secretEnv: "CLERK_WEBHOOK_SIGNING_SECRET",
    signature: {
      scheme: "svix",
      headers: ["svix-id", "svix-timestamp", "svix-signature"],
      signs: "{svix-id}.{svix-timestamp}.{raw body}",
      secret: "whsec_ and base64; the bytes after whsec_ are the key",
      mistakes: [
        "Parsing the JSON and signing it again: the bytes differ.",
        "Using the API key instead of the endpoint's signing secret.",
      ],
    },
    events: [
      { name: "user.created", title: "User created", body: clerkUser(0) },
      { name: "user.updated", title: "User updated", body: clerkUser(2) },
    ],
    samples: [
      {
        id: "http-clerk",
        title: "Log every request",
        description: "The smallest thing that works: verify, then log the body.",
        files: [
          { name: "jobs.ts", language: "ts", code: CODE },
          { name: ".env", language: "shell", code: "CLERK_WEBHOOK_SIGNING_SECRET=whsec_…\n" },
        ],
      },
    ],
  },
  { ...bare, id: "stripe", name: "Stripe", category: "Payments", summary: "Payments, invoices and subscriptions." },
  { ...bare, id: "github", name: "GitHub", category: "Developer tools", summary: "Repositories, issues and deployments." },
];
