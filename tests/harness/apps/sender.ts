// Tests: a program of a user that sends EVENTS events named by their ROUND, five at a time, says so, and ends by itself: nothing it opened may keep it.
import { TriggerClient } from "@holdfast/sdk";

const AT_ONCE = 5;
const count = Number(process.env.EVENTS);
const client = new TriggerClient({ id: "sender" });

let next = 0;
async function send(): Promise<void> {
  while (next < count) {
    const id = `round-${process.env.ROUND}-event-${next++}`;
    await client.sendEvent({ id, name: process.env.EVENT ?? "haul", payload: { legs: 0, legMs: 0 } });
    console.log(`sent ${id}`);
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, send));
console.log("all sent");
