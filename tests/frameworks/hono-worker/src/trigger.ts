import { env } from "cloudflare:workers";
import { TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({
  id: "lighthouse",
  apiKey: env.TRIGGER_API_KEY,
  apiUrl: env.TRIGGER_API_URL,
});
