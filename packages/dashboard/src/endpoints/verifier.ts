// Room endpoints: who checks an endpoint's requests, in words. Called by both endpoint pages.
import type { EndpointInfo } from "@holdfast/protocol";

export const VERIFIER: Record<EndpointInfo["verification"], { short: string; long: string }> = {
  app: {
    short: "verified by the app",
    long: "The app's own verify() decides, before any run starts. Its secret lives in the app.",
  },
  preset: { short: "verified here", long: "This server checks the signature with the stored secret, before any run starts." },
  "in-run": {
    short: "verified inside the run",
    long: "The app runs a published v2 SDK, which verifies inside the run: a forged request makes a failed run. Move to @holdfast/sdk, or set a secret here, to refuse it before.",
  },
};
