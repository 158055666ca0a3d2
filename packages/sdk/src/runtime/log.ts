// Room: runtime. The console, which is everywhere. Part of real.ts and web-runtime.ts.
import type { LogLevel } from "./runtime.ts";

export function log(level: LogLevel, message: string, data?: unknown): void {
  const write = level === "log" ? console.log : console[level];
  if (data === undefined) write(message);
  else write(message, data);
}
