// Room: dev. What the app's process tells `holdfast dev` over its IPC channel. Sent by app-runner.ts, read by app-process.ts.

export type RunnerMessage =
  /** A file of the person's own was loaded: absolute path, and when it was last changed then (epoch ms). */
  | { holdfast: "loaded"; path: string; changedAt: number }
  /** The files ran; `clients` are the apps they made that are connected. */
  | { holdfast: "connected"; clients: string[] }
  /** The files ran and made no TriggerClient. */
  | { holdfast: "empty" }
  /** The files made several TriggerClients with this id; the first of them counts. */
  | { holdfast: "twice"; client: string }
  /** The server refused an app. */
  | { holdfast: "refused"; client: string; message: string };

/** The person's program may send messages of its own; they are none of our business. */
export function isRunnerMessage(message: unknown): message is RunnerMessage {
  return message !== null && typeof message === "object" && "holdfast" in message;
}
