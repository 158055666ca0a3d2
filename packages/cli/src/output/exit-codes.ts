// Room: output. How a command ends: its exit code, and the one error type of the CLI. Thrown everywhere, read by program.ts.
// Promise: every failure a person can meet has a sentence, a code, and where there is one, a hint.
import { type ErrorCode, UserFacingError } from "@holdfast/protocol";

/** Exit codes scripts may rely on. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  auth: 4,
  serverUnreachable: 5,
  appUnreachable: 6,
  timeout: 7,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Codes of failures that never went over the wire, beside those the server answers with. */
export type CommandCode = ErrorCode | "USAGE" | "SERVER_UNREACHABLE" | "TIMEOUT" | "FAILED" | "PORT_TAKEN";

const EXIT_OF_CODE: Partial<Record<CommandCode, ExitCode>> = {
  USAGE: EXIT.usage,
  BAD_CONFIGURATION: EXIT.usage,
  NOT_FOUND: EXIT.notFound,
  UNAUTHORIZED: EXIT.auth,
  FORBIDDEN: EXIT.auth,
  SERVER_UNREACHABLE: EXIT.serverUnreachable,
  APP_UNREACHABLE: EXIT.appUnreachable,
  TIMEOUT: EXIT.timeout,
};

/**
 * A command could not do what it was asked.
 *
 * @example throw new CommandError("USAGE", "--port takes a number from 0 to 65535, not \"web\".")
 */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(
    readonly code: CommandCode,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** What is shown of any error, and the exit code it ends the command with. */
export function explain(error: unknown): { code: CommandCode; message: string; hint?: string; exit: ExitCode } {
  if (error instanceof CommandError || error instanceof UserFacingError || isUserFacing(error)) {
    const { code, message, hint } = error;
    return { code, message, ...(hint ? { hint } : {}), exit: EXIT_OF_CODE[code] ?? EXIT.failed };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "FAILED", message: `This is a bug in holdfast: ${message}`, exit: EXIT.failed };
}

/** A UserFacingError of another copy of the protocol package (the server's own) is not `instanceof` ours. */
function isUserFacing(error: unknown): error is UserFacingError {
  return error instanceof Error && error.name === "UserFacingError" && "code" in error;
}
