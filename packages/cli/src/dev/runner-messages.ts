// Room: dev. What the app's process tells `holdfast dev` over its IPC channel. Sent by app-runner.ts, read by app-process.ts.

export type RunnerMessage =
  /** The files ran; `clients` are the apps they made that are connected. */
  | { holdfast: "connected"; clients: string[] }
  /** The files ran and made no TriggerClient. */
  | { holdfast: "empty" }
  /** The server refused an app. */
  | { holdfast: "refused"; client: string; message: string };

/** The channel also carries messages of the TypeScript loader. */
export function isRunnerMessage(message: unknown): message is RunnerMessage {
  return message !== null && typeof message === "object" && "holdfast" in message;
}

/** The loader tells of each file it loads: `{type: "dependency", path}`, the path plain or as a file URL. */
export function loadedPath(message: unknown): string | null {
  if (message === null || typeof message !== "object" || !("type" in message) || message.type !== "dependency") return null;
  return "path" in message && typeof message.path === "string" ? message.path : null;
}
