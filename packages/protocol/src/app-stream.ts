// Frames of the stream: one WebSocket of a process of our SDK to the server (GET STREAM_PATH, `Authorization: Bearer tr_…`) over which travel task reports of
// executions that were pushed to it, and calls of the API while it makes many. Text frames: one object of JSON, told apart by `t`; a call and its answer go on
// behind a line feed with their body as it is. It only ever saves requests: what is not answered over it is asked by one, and doing either twice changes nothing.
import { z } from "zod";
import { taskReportSchema } from "./reports.ts";

export const STREAM_PATH = "/api/v1/stream";

/** Characters of a call's path; a longer one is a request. */
export const LONGEST_STREAMED_PATH = 8192;

/** A number of the app's own, which comes back with the answer. */
const n = z.number().int();
const address = { x: z.string().max(128), n };

/** What the app says. `x` is an execution token. */
export const streamedFrameSchema = z.discriminatedUnion("t", [
  /** First frame, answered by `ready`: the app learns that frames get through in both directions before it relies on them. */
  z.object({ t: z.literal("hello") }),
  z.object({ t: z.literal("report"), ...address, items: z.array(taskReportSchema).max(1000) }),
  /** What would be a request to a route that takes a secret key. */
  z.object({
    t: z.literal("call"),
    n,
    method: z.enum(["GET", "POST", "PUT", "DELETE"]),
    path: z.string().startsWith("/api/").max(LONGEST_STREAMED_PATH),
    headers: z.record(z.string(), z.string()).optional(),
  }),
]);
export type StreamedFrame = z.infer<typeof streamedFrameSchema>;
export type StreamedCall = StreamedFrame & { t: "call" };

/** What is told of a frame that nobody could read otherwise. */
export const streamedAddressSchema = z.object(address);

export type StreamedVerdict =
  | { t: "ready" }
  /** All of it is on disk. */
  | { t: "ack"; x: string; n: number }
  /** The execution is no longer the run's: stop it, record nothing. */
  | { t: "stale"; x: string; n: number }
  /** Not recorded: post it, and the answer says why. */
  | { t: "again"; x: string; n: number }
  /** A call was answered as a request would have been; the body stands behind. `retryAfter`: seconds, the header of that name. */
  | { t: "answer"; n: number; status: number; retryAfter?: string };

/** A frame with a body: JSON.stringify puts no line feed into the head, so the first one is where the body begins. */
export function withBody(head: StreamedCall | StreamedVerdict, body: string): string {
  return `${JSON.stringify(head)}\n${body}`;
}

/** A frame's object as JSON, and the body behind it. */
export function partsOf(text: string): { head: string; body: string } {
  const end = text.indexOf("\n");
  return end < 0 ? { head: text, body: "" } : { head: text.slice(0, end), body: text.slice(end + 1) };
}
