import { TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({
  id: "academy",
  apiKey: process.env.TRIGGER_API_KEY,
  apiUrl: process.env.TRIGGER_API_URL,
});

// The older half of the site, which is served by the pages router.
export const billing = new TriggerClient({
  id: "academy-billing",
  apiKey: process.env.TRIGGER_API_KEY,
  apiUrl: process.env.TRIGGER_API_URL,
});
