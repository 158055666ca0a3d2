// Room: io. `io.logger`: lines of the run's log, recorded with the next report and optionally mirrored on the app's own console.
import type { Anything } from "../anything.ts";
import type { Execution } from "../replay/execution.ts";
import { never } from "../replay/outbox.ts";
import type { LogLevel } from "../runtime/runtime.ts";

/** A logger of v2's shape, for code that takes one. */
export interface TaskLogger {
  debug(message: string, properties?: Record<string, Anything>): Promise<void>;
  info(message: string, properties?: Record<string, Anything>): Promise<void>;
  warn(message: string, properties?: Record<string, Anything>): Promise<void>;
  error(message: string, properties?: Record<string, Anything>): Promise<void>;
}

const ORDER: LogLevel[] = ["log", "error", "warn", "info", "debug"];

/** True when a line of that level is recorded. "info" (the default) and "debug" record everything, as v2 does. */
export function recordsLevel(setting: LogLevel, level: LogLevel): boolean {
  return setting === "info" || ORDER.indexOf(level) <= ORDER.indexOf(setting);
}

function plain(data: unknown): unknown {
  return data instanceof Error ? { name: data.name, message: data.message, stack: data.stack } : data;
}

export interface LogSetting {
  level: LogLevel;
  /** Write new lines to the app's console too. */
  mirror: boolean;
}

export class IOLogger implements TaskLogger {
  readonly #execution: Execution;
  readonly #setting: LogSetting;

  constructor(execution: Execution, setting: LogSetting) {
    this.#execution = execution;
    this.#setting = setting;
  }

  /** Recorded whatever the log level. @param properties shown beside the line; any JSON */
  log(message: string, properties?: Anything): Promise<void> {
    return this.#write("log", message, properties);
  }
  debug(message: string, properties?: Anything): Promise<void> {
    return this.#write("debug", message, properties);
  }
  /** @example await io.logger.info("Body", body); */
  info(message: string, properties?: Anything): Promise<void> {
    return this.#write("info", message, properties);
  }
  warn(message: string, properties?: Anything): Promise<void> {
    return this.#write("warn", message, properties);
  }
  error(message: string, properties?: Anything): Promise<void> {
    return this.#write("error", message, properties);
  }

  #write(level: LogLevel, message: string, properties: unknown): Promise<void> {
    if (!recordsLevel(this.#setting.level, level)) return Promise.resolve();
    const data = plain(properties);
    const line = this.#execution.log(level.toUpperCase() as Uppercase<LogLevel>, String(message), data);
    if (line === "over") return never();
    if (line === "new" && this.#setting.mirror) this.#execution.runtime.log(level, String(message), data);
    return Promise.resolve();
  }
}
