import { client } from "@shop/jobs/client";

export async function POST(request: Request) {
  const event = await client.sendEvent(await request.json());
  return Response.json({ id: event.id });
}
