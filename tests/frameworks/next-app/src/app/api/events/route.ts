import { NextResponse } from "next/server";
import { client } from "@/trigger";

export async function POST(request: Request) {
  const { name, payload } = await request.json();
  const event = await client.sendEvent({ name, payload });
  return NextResponse.json({ id: event.id });
}
