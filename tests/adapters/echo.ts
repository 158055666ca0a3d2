// Tests: what every adapter's app has: an endpoint that says what it saw of a request, as the reason for refusing it, and a job.
import { createHash } from "node:crypto";
import { invokeTrigger, type TriggerClient } from "@holdfast/sdk";

export const KEY = "tr_dev_adapters";

export function defineEcho(client: TriggerClient): TriggerClient {
  client.defineHttpEndpoint({
    id: "echo",
    source: "test",
    verify: async (request) => {
      const bytes = Buffer.from(await request.arrayBuffer());
      const hash = createHash("sha256").update(bytes).digest("hex");
      return { success: false, reason: [request.method, request.url, bytes.length, hash].join(" ") };
    },
  });
  client.defineJob({ id: "job", name: "Job", version: "1.0.0", trigger: invokeTrigger(), run: async () => "ran" });
  return client;
}
