import { client } from "@/trigger";

export const runtime = "edge";

export async function POST(request: Request) {
  const event = await client.sendEvent(await request.json());
  return Response.json({ id: event.id });
}
