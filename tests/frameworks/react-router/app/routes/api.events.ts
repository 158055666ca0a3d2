import type { ActionFunctionArgs } from "react-router";
import { client } from "../trigger.server";

export const action = async ({ request }: ActionFunctionArgs) => {
  const event = await client.sendEvent(await request.json());
  return Response.json({ id: event.id });
};
