import { NextResponse } from "next/server";
import { client } from "@/trigger";

export async function POST(request: Request) {
  const event = await client.sendEvent(await request.json());
  return NextResponse.json({ id: event.id });
}
