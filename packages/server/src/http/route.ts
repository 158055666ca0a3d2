// Room: http. What a route is: one row of the table that the router, the OpenAPI document and the tenancy test are all made from.
import type { ErrorCode } from "@holdfast/protocol";
import type { z } from "zod";
import type { Call } from "./call.ts";

/**
 * Who may call:
 * open: anyone. secretKey: a program with its environment's secret key. anyKey: also with the public key, from a browser (CORS).
 * environment: a person who is logged in, or the secret key of the environment the path names. server: the same, where no environment is named.
 * person: only someone logged in. machine: a program on this very machine, else as `server`.
 */
export type Access = "open" | "machine" | "secretKey" | "anyKey" | "environment" | "server" | "person";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `/api/v1/runs/:id` */
  readonly path: string;
  /** Stable operation id. */
  readonly name: string;
  readonly summary: string;
  readonly tag: "v2" | "management" | "system";
  readonly access: Access;
  readonly body?: z.ZodType;
  /** text: the body is not JSON to be parsed here, and its schema that of a string. */
  readonly bodyAs?: "text";
  /** Bytes. */
  readonly bodyLimit?: number;
  /** The last parameter of the path takes all that is left, slashes included. */
  readonly keyAtEnd?: true;
  /** It finishes what was begun: counted, but served even when too many came. */
  readonly neverRefused?: true;
  /** How a body of the wrong shape is refused; default BAD_REQUEST. */
  readonly badBody?: ErrorCode;
  /** Query parameters: name → what it does. */
  readonly query?: Readonly<Record<string, string>>;
  readonly handle: (call: Call, body: unknown) => Response | Promise<Response>;
}

/** Writes a route down, its handler typed by its body's schema. */
export function route<B extends z.ZodType = z.ZodUndefined>(
  spec: Omit<Route, "handle" | "body"> & { body?: B; handle: (call: Call, body: z.infer<B>) => Response | Promise<Response> },
): Route {
  return spec as unknown as Route;
}

/** The prefix of everything that belongs to one environment. */
export const IN_ENVIRONMENT = "/api/v1/environments/:environment";
