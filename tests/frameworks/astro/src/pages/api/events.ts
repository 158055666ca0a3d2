import type { APIRoute } from "astro";
import { client } from "@/trigger";

export const prerender = false;

export const POST: APIRoute = async ({ request }) => {
  const event = await client.sendEvent(await request.json());
  return Response.json({ id: event.id });
};
