import { json } from "@sveltejs/kit";
import { client } from "../../../trigger";

export const POST = async ({ request }: { request: Request }) => {
  const event = await client.sendEvent(await request.json());
  return json({ id: event.id });
};
