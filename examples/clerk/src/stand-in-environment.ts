// Decides, before the jobs run, which services they call: the real ones when CLERK_SECRET_KEY is set, the stand-in otherwise.
import { startClerkStandIn } from "./clerk-stand-in.ts";

/** Sets what is missing of CLERK_SECRET_KEY, CLERK_API_URL and WELCOME_URL to the stand-in's values. */
export async function useStandInWithoutKey(): Promise<void> {
  if (process.env.CLERK_SECRET_KEY && process.env.WELCOME_URL) return;
  const logFile = process.env.CLERK_STAND_IN_LOG;
  const standIn = await startClerkStandIn(logFile ? { logFile } : {});
  process.env.WELCOME_URL ??= standIn.welcomeUrl;
  if (process.env.CLERK_SECRET_KEY) return;
  process.env.CLERK_SECRET_KEY = "sk_test_stand_in";
  process.env.CLERK_API_URL = standIn.url;
}
