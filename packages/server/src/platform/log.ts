// Room: platform. The one place that writes log lines; every room gets a Logger through the World.
// Promises: lines go to stderr (stdout is data), one line a call, and a value that looks like a secret never leaves the process.

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

/** Levelled, structured logging. `child` binds fields to every later line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Lines below this level are dropped. Default `info`. */
  level?: LogLevel;
  /** One JSON object a line in place of the human form. */
  json?: boolean;
  now?: () => number;
  /** Receives each finished line, without its newline. Default: stderr. */
  write?: (line: string) => void;
}

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const SECRET_FIELD = /(?:password|secret|authorization|cookie|api[-_]?key|encryption[-_]?key|private[-_]?key|credentials?)$/i;
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(tr_[a-z]+_)[A-Za-z0-9]{8,}/g, "$1[hidden]"],
  [/\b(whsec_|sk_(?:live|test)_|Bearer\s+|Basic\s+)[A-Za-z0-9+/=_.~-]{8,}/g, "$1[hidden]"],
  [/(\bpostgres(?:ql)?:\/\/[^:/?#\s]*:)[^@\s]+(@)/g, "$1[hidden]$2"],
];

/** Replaces API keys, signing secrets, bearer tokens and database passwords inside a text. */
export function hideSecrets(text: string): string {
  return SECRET_TEXT.reduce((hidden, [pattern, by]) => hidden.replace(pattern, by), text);
}

function describeError(error: Error): Record<string, unknown> {
  const code = "code" in error ? { code: error.code } : {};
  return { name: error.name, message: error.message, ...code, stack: error.stack };
}

function toJson(fields: LogFields): string {
  const seen = new WeakSet<object>();
  return JSON.stringify(fields, (key, value: unknown) => {
    if (SECRET_FIELD.test(key)) return "[hidden]";
    if (typeof value === "string") return hideSecrets(value);
    if (typeof value === "bigint") return value.toString();
    if (value instanceof Error) return describeError(value);
    if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return "[seen above]";
    seen.add(value);
    return value;
  });
}

function humanField(key: string, value: unknown): string {
  if (SECRET_FIELD.test(key)) return `${key}=[hidden]`;
  if (value instanceof Error) return `${key}=${JSON.stringify(hideSecrets(value.message))}`;
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) return `${key}=${hideSecrets(value)}`;
  return `${key}=${toJson({ value }).slice('{"value":'.length, -1) || "undefined"}`;
}

function humanLine(level: LogLevel, now: number, [message, fields]: readonly [string, LogFields]): string {
  const pairs = Object.entries(fields).map(([key, value]) => humanField(key, value));
  const stacks = level === "error" ? Object.values(fields).filter((value) => value instanceof Error) : [];
  const time = new Date(now).toISOString().slice(11, 23);
  const line = [time, level.padEnd(5), hideSecrets(message).replaceAll("\n", "\\n"), ...pairs].join(" ");
  return [line, ...stacks.map((error) => hideSecrets(error.stack ?? ""))].join("\n");
}

/**
 * Makes a logger.
 *
 * @example createLogger({ level: "debug" }).info("listening", { port: 3040 }) // 14:02:11.480 info  listening port=3040
 */
export function createLogger(options: LoggerOptions = {}, bound: LogFields = {}): Logger {
  const floor = RANK[options.level ?? "info"];
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const emit = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (RANK[level] < floor) return;
    const now = options.now?.() ?? Date.now();
    const all = { ...bound, ...fields };
    if (!options.json) return write(humanLine(level, now, [message, all]));
    write(toJson({ time: new Date(now).toISOString(), level, message, ...all }));
  };
  return {
    debug: emit("debug"),
    info: emit("info"),
    warn: emit("warn"),
    error: emit("error"),
    child: (fields) => createLogger(options, { ...bound, ...fields }),
  };
}

/** A logger that keeps nothing: for tests and for callers that did not ask for one. */
export const silentLogger: Logger = createLogger({ write: () => undefined, level: "error" });
