// Frames of the report stream: during executions that were pushed to it, our SDK keeps one WebSocket to the server (GET REPORT_STREAM_PATH, `Authorization:
// Bearer tr_…`) over which their task reports travel, all of its process together, each answered by itself. JSON text frames, one object each, told apart by `t`.
// It only ever saves requests: what is not answered over it is posted to `PUSH.reportPath`, and recording twice changes nothing.
import { z } from "zod";
import { taskReportSchema } from "./reports.ts";

export const REPORT_STREAM_PATH = "/api/v1/executions/stream";

const address = { x: z.string().max(128), n: z.number().int() };

/** What the app says. `x` is an execution token, `n` a number of its own that comes back in the verdict. */
export const streamedFrameSchema = z.discriminatedUnion("t", [
  /** First frame, answered by `ready`: the app learns that frames get through in both directions before it relies on them. */
  z.object({ t: z.literal("hello") }),
  z.object({ t: z.literal("report"), ...address, items: z.array(taskReportSchema).max(1000) }),
]);
export type StreamedFrame = z.infer<typeof streamedFrameSchema>;

/** What is told of a frame that nobody could read otherwise. */
export const streamedAddressSchema = z.object(address);

export type StreamedVerdict =
  | { t: "ready" }
  /** All of it is on disk. */
  | { t: "ack"; x: string; n: number }
  /** The execution is no longer the run's: stop it, record nothing. */
  | { t: "stale"; x: string; n: number }
  /** Not recorded: post it, and the answer says why. */
  | { t: "again"; x: string; n: number };
