// Catalogue entry: Clerk, which sends its webhooks through Svix. The samples are the files of examples/clerk/src.
import type { CatalogueManifest } from "../src/manifest.ts";
import { sampleFiles } from "../src/sample-files.ts";
import { events } from "./events.ts";

export const clerk: CatalogueManifest = {
  id: "clerk",
  name: "Clerk",
  category: "Auth & identity",
  summary: "Sign-in and user management; react when users, sessions and organizations change.",
  docsUrl: "https://clerk.com/docs/webhooks/overview",
  secretEnv: "CLERK_WEBHOOK_SIGNING_SECRET",
  sources: ["clerk.com"],
  signature: {
    scheme: "svix",
    headers: ["svix-id", "svix-timestamp", "svix-signature"],
    signs:
      "HMAC-SHA256 over `<svix-id>.<svix-timestamp>.<raw body>`, base64, as `v1,<signature>`; several may follow, separated by spaces.",
    secret: "Clerk dashboard → Configure → Webhooks → your endpoint → Signing Secret (starts with `whsec_`).",
    mistakes: [
      "The body was parsed and serialised again before it was verified: the signature covers the raw bytes.",
      "The secret belongs to another endpoint, or to the development instance of the same application: each has its own.",
      "The Clerk API key (`sk_…`) was set where the signing secret (`whsec_…`) belongs.",
      "The clock of the machine is off: requests more than five minutes old or ahead are refused.",
    ],
  },
  events,
  samples: [
    {
      id: "receive",
      title: "Receive Clerk webhooks",
      description: "An endpoint that verifies Clerk's signature, and a job that logs what arrived.",
      files: sampleFiles("clerk", ["clerk.ts"]),
    },
    {
      id: "welcome",
      title: "Welcome a new user",
      description:
        "A job for `user.created` that asks Clerk for the user, waits, and sends a welcome message once, with retries. It survives a crash at any step.",
      files: sampleFiles("clerk", ["welcome.ts", "clerk.ts"]),
    },
    {
      id: "run",
      title: "Run it",
      description: "The program `holdfast dev` starts: both jobs, and a stand-in for Clerk's API while you have no key.",
      files: sampleFiles("clerk", ["app.ts", "clerk-stand-in.ts"]),
    },
  ],
};
