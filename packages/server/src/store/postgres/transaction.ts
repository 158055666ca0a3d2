// Room: store. A transaction of several statements on a link that is its caller's alone: begin, work, commit; a failure rolls back and is thrown on. Called
// by claim.ts, which sends begin and commit along with its statements, and by what needs gates: change-run.ts, intake.ts, gate-keeper.ts.
import { failureOf } from "./failures.ts";
import type { Link } from "./link.ts";
import type { Prepared } from "./statements.ts";

export interface Query {
  prepared: Prepared;
  values: unknown[];
}
/** Sends one statement; those sent without waiting travel together, in order. */
export type Send = <Row extends object>(query: Query) => Promise<Row[]>;

export const BEGIN: Query = { prepared: { name: "", text: "begin" }, values: [] };
export const COMMIT: Query = { prepared: { name: "", text: "commit" }, values: [] };
export const ROLLBACK: Query = { prepared: { name: "", text: "rollback" }, values: [] };

/** Queries of one pipeline fail in order: the first failure is the cause of those after it. */
export async function inOrder<T>(queries: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(queries);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/** Calls `work` with the link's connection. What it began and did not commit is rolled back when it throws. */
export async function withClient<T>(link: Link, work: (send: Send) => Promise<T>): Promise<T> {
  const client = await link.client();
  const send: Send = ({ prepared, values }) => link.send(client, prepared, values);
  try {
    return await work(send);
  } catch (error) {
    if (failureOf(error) !== "again") await send(ROLLBACK).catch(() => undefined);
    else link.drop(client);
    throw error;
  }
}
