import { createMiddleware } from "@trigger.dev/hono";
import { Hono } from "hono";
import { client } from "./trigger";

import "./jobs";

const app = new Hono();
app.use(createMiddleware(client));
app.get("/", (context) => context.text("Lighthouse"));
app.post("/api/events", async (context) => {
  const event = await client.sendEvent(await context.req.json());
  return context.json({ id: event.id });
});

export default app;
