// Tests: apps as programs of their own, and the stand-in for the services they call.
import { join } from "node:path";
import { startClerkStandIn } from "../../examples/clerk/src/clerk-stand-in.ts";
import { type Program, ROOT, startProgram } from "./processes.ts";
import type { TestServer } from "./server.ts";
import { SIGNING_SECRET } from "./webhooks.ts";

/** Starts a TypeScript program below the root with what an app needs to know. */
export function startApp(server: TestServer, path: string, env: Record<string, string> = {}): Program {
  return startProgram(["--import", "tsx", join(ROOT, path)], { env: { ...server.appEnv, ...env } });
}

/** Environment of the Clerk example: the secret, a stand-in that outlives the app, and a short wait. */
export async function clerkEnvironment(options: { waitSeconds?: number; logFile?: string } = {}) {
  const standIn = await startClerkStandIn(options.logFile ? { logFile: options.logFile } : {});
  const env = {
    CLERK_WEBHOOK_SIGNING_SECRET: SIGNING_SECRET,
    CLERK_SECRET_KEY: "sk_test_stand_in",
    CLERK_API_URL: standIn.url,
    WELCOME_URL: standIn.welcomeUrl,
    WELCOME_DELAY_SECONDS: String(options.waitSeconds ?? 1),
  };
  return { standIn, env };
}

export const CLERK_APP = "examples/clerk/src/app.ts";
export const RECORDED_CLERK_APP = "tests/harness/apps/recorded-clerk.ts";
