// Room: store. What a failed statement means: try again, refuse the item, or a bug. Called by the batcher and by `persist`, the retry around single calls.
// Promises: nothing is retried that cannot succeed, and what a person sees is a UserFacingError that says what to do.
import { UserFacingError } from "@holdfast/protocol";
import type { World } from "../../platform/world.ts";

/** `again`: the database or the way to it; the outcome may be unknown. `data`: this item. `no-week`: its week has no table. `bug`: ours. */
export type Failure = "again" | "data" | "no-week" | "bug";

/** SQLSTATE classes and codes that a later try can overcome: connection, resources, shutdown, serialization, read-only after a failover, lost plans. */
const PASSING = /^(08|53|57P0|58|28|3D|57014|40001|40P01|55P03|25006|25P02|25P03|26000|0A000)/;
/** What the driver, which gives these no code, and the link say. */
const BROKEN_WIRE = /connection|terminated|timeout|not queryable|not confirmed/i;
/** Node's codes for a certificate it does not trust: as good as no answer, for it may be mended while we run. */
const DISTRUST = /CERT|^UNABLE_TO_|^ERR_TLS_/;
const ABOUT_DATA = /^(22|23|54|HF)/;

export function failureOf(error: unknown): Failure {
  const { code, message } = describe(error);
  if (code === undefined) return BROKEN_WIRE.test(message) ? "again" : "bug";
  if (/^E[A-Z]+$/.test(code) || DISTRUST.test(code)) return "again";
  if (code === "42P01" || (code === "23514" && /no partition of relation/.test(message))) return "no-week";
  if (PASSING.test(code)) return "again";
  return ABOUT_DATA.test(code) ? "data" : "bug";
}

/** True after errors that leave a connection of no use: the server is read-only now, or its plans are void. */
export function spoilsConnection(error: unknown): boolean {
  const { code } = describe(error);
  return code !== undefined && /^(25006|0A000|26000|57P0|08)/.test(code);
}

function describe(error: unknown): { code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  return { code: "code" in error && typeof error.code === "string" ? error.code : undefined, message: error.message };
}

/** The user, the password or the database's name. */
const REFUSED = /^(28|3D)/;

/** What a caller is told when the database could not be reached in time. */
export function unreachable(error: unknown): UserFacingError {
  const { code, message } = describe(error);
  if (code !== undefined && REFUSED.test(code)) {
    const check = "Check the user, the password and the database's name in DATABASE_URL.";
    return new UserFacingError("DATABASE_UNREACHABLE", `The database refused the connection: ${message}`, check);
  }
  if (code !== undefined && DISTRUST.test(code)) {
    const trust =
      "Name the authority that signed it, NODE_EXTRA_CA_CERTS=/path/to/ca.pem, or encrypt without looking at it: sslmode=no-verify in DATABASE_URL.";
    return new UserFacingError("DATABASE_UNREACHABLE", `The database's certificate is not trusted: ${message}`, trust);
  }
  const hint = "Check that PostgreSQL is running and that DATABASE_URL points at its primary; nothing was lost, try again.";
  return new UserFacingError("DATABASE_UNREACHABLE", `The database did not answer in time: ${message}`, hint);
}

/** What a caller is told when the database will not take this item. */
export function refused(error: unknown): UserFacingError {
  return new UserFacingError("UNPROCESSABLE", `The database refused this record: ${describe(error).message}`);
}

export const FIRST_PAUSE_MS = 20;
export const LONGEST_PAUSE_MS = 1_000;

/**
 * Calls `attempt` until it answers, with growing pauses, for as long as failures may pass and `patienceMs` is not used up.
 *
 * @param attempt is told whether an earlier attempt failed, so that its outcome may be unknown
 */
export async function persist<T>(
  world: Pick<World, "monotonic" | "after">,
  patienceMs: number,
  attempt: (repeated: boolean) => Promise<T>,
): Promise<T> {
  const deadline = world.monotonic() + patienceMs;
  let pause = FIRST_PAUSE_MS;
  for (let repeated = false; ; repeated = true) {
    try {
      return await attempt(repeated);
    } catch (error) {
      const failure = failureOf(error);
      if (failure === "data") throw refused(error);
      if (failure !== "again") throw error;
      if (world.monotonic() + pause > deadline) throw unreachable(error);
    }
    await new Promise<void>((resolve) => void world.after(pause, resolve));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}
