import { type ActionFunctionArgs, json } from "@remix-run/node";
import { client } from "~/trigger.server";

export const action = async ({ request }: ActionFunctionArgs) => {
  const event = await client.sendEvent(await request.json());
  return json({ id: event.id });
};
