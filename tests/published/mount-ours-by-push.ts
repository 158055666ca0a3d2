// Tests: the same app with `@trigger.dev/sdk` being an alias of our SDK, reached by HTTP through our Express adapter.
import type { AddressInfo } from "node:net";
import { createMiddleware } from "@trigger.dev/sdk/express";
import express from "express";
import { client } from "./jobs.ts";

const app = express();
app.use(createMiddleware(client));
const listening = app.listen(0, "127.0.0.1", async () => {
  const own = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/api/trigger`;
  console.log(`at ${own}`);
  // Of an app that something stands in front of; known already when that starts it anew.
  const url = process.env.PUBLIC_URL ?? own;
  if (process.env.IS_REGISTERED) return console.log("registered");
  const answer = await fetch(`${process.env.TRIGGER_API_URL}/api/v1/endpoints`, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.TRIGGER_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ id: client.id, url }),
  });
  console.log(answer.ok ? "registered" : `refused: ${answer.status} ${await answer.text()}`);
});
