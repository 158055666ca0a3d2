import type { NextApiRequest, NextApiResponse } from "next";
import { client } from "@/trigger";

export default async function handler(request: NextApiRequest, response: NextApiResponse) {
  const event = await client.sendEvent(request.body);
  response.status(200).json({ id: event.id });
}
