// The one error type a person may see. Everything thrown on purpose, on either side of the wire, is one of these.

/** Every error code, with the HTTP status it is answered with. The docs have a page section per code (docs/errors.md). */
export const ERROR_STATUS = {
  BAD_REQUEST: 400,
  INVALID_SIGNATURE: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  STALE_EXECUTION: 409,
  TOO_LARGE: 413,
  UNPROCESSABLE: 422,
  TOO_MANY_REQUESTS: 429,
  BAD_CONFIGURATION: 500,
  INTERNAL: 500,
  APP_UNREACHABLE: 502,
  OVERLOADED: 503,
  DATABASE_UNREACHABLE: 503,
  TIMEOUT: 504,
} as const;
export type ErrorCode = keyof typeof ERROR_STATUS;

/**
 * An error whose message is meant for the person who can mend it.
 *
 * @example throw new UserFacingError("NOT_FOUND", "No run has the id run_x.", "List runs with `holdfast runs list`.")
 */
export class UserFacingError extends Error {
  override readonly name = "UserFacingError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    /** What to do about it, as one sentence. */
    readonly hint?: string,
  ) {
    super(message);
  }
  get status(): number {
    return ERROR_STATUS[this.code];
  }
  /** The body of an HTTP answer: v2 clients read `error` or `message`, ours read all of it. */
  toJSON(): { error: string; message: string; code: ErrorCode; hint?: string } {
    return { error: this.message, message: this.message, code: this.code, ...(this.hint ? { hint: this.hint } : {}) };
  }
}
