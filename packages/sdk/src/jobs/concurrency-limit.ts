// Room: jobs. A limit that several jobs share. Made by `client.defineConcurrencyLimit`; read by the index document.
import { UserFacingError } from "@holdfast/protocol";

export interface ConcurrencyLimitOptions {
  /** Identity in the environment: jobs of several apps that name the same id share one limit. */
  id: string;
  /** Most runs of all its jobs together that execute at once. */
  limit: number;
}

/** Jobs with the same one execute together at most `limit` runs at once. */
export class ConcurrencyLimit {
  readonly id: string;
  readonly limit: number;

  constructor({ id, limit }: ConcurrencyLimitOptions) {
    this.id = id;
    this.limit = checkedLimit(limit, `concurrency limit "${id}"`);
  }

  toJSON(): ConcurrencyLimitOptions {
    return { id: this.id, limit: this.limit };
  }
}

/** @throws BAD_REQUEST for what is no number of runs */
export function checkedLimit(limit: number, owner: string): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000_000) return limit;
  throw new UserFacingError("BAD_REQUEST", `The limit of ${owner} is ${limit}.`, "Give a whole number from 1 to 1,000,000.");
}
