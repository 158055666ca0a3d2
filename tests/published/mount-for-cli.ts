// Tests: an app of a v2 user that registers nowhere by itself: the published CLI does that. Says at which port it listens.
import type { AddressInfo } from "node:net";
import { createMiddleware } from "@trigger.dev/express";
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";
import express from "express";

const client = new TriggerClient({ id: "by-cli" });
client.defineJob({
  id: "heard",
  name: "Heard",
  version: "1.0.0",
  trigger: eventTrigger({ name: "cli.said" }),
  run: async (payload: unknown) => payload,
});

const app = express().use(createMiddleware(client));
const listening = app.listen(0, "localhost", () => {
  console.log(`listening at ${(listening.address() as AddressInfo).port}`);
});
