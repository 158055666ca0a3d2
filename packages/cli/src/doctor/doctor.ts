// Room: doctor. `holdfast doctor`: looks at everything a server needs and says what is wrong and what to do. Exit 0 when all is well, else 1.
// Promise: every check is made, whatever the one before found; nothing is changed, except that an embedded database may be made.

import type { ServerFlags } from "../api/find-server.ts";
import type { Context } from "../commands/context.ts";
import { EXIT, explain } from "../output/exit-codes.ts";
import type { LoadServer } from "../serve/server-entry.ts";
import { appsCheck, databaseCheck, dataDirCheck, nodeCheck, type Probe, portCheck, serverCheck } from "./checks.ts";

export interface CheckResult {
  name: string;
  /** "skipped": there is nothing to look at, which is fine. */
  state: "ok" | "failed" | "skipped";
  detail: string;
  hint?: string;
}

export async function doctor(context: Context, flags: ServerFlags, load: LoadServer): Promise<number> {
  const probe: Probe = { context, flags, load, server: null };
  const results: CheckResult[] = [];
  for (const [name, check] of CHECKS) results.push({ name, ...(await check(probe).catch(asFailure)) });
  const ok = results.every((each) => each.state !== "failed");
  context.output.result({ ok, checks: results }, results.map((each) => line(context, each)).join("\n"));
  return ok ? EXIT.ok : EXIT.failed;
}

const CHECKS = [
  ["node", nodeCheck],
  ["data directory", dataDirCheck],
  // Before the others: a running server holds the port and the database.
  ["server", serverCheck],
  ["port", portCheck],
  ["database", databaseCheck],
  ["apps", appsCheck],
] as const;

function asFailure(error: unknown): Omit<CheckResult, "name"> {
  const { message, hint } = explain(error);
  return { state: "failed", detail: message, ...(hint ? { hint } : {}) };
}

function line({ output }: Context, { name, state, detail, hint }: CheckResult): string {
  const mark = {
    ok: output.paint("green", "ok     "),
    failed: output.paint("red", "failed "),
    skipped: output.paint("dim", "skipped"),
  }[state];
  return `${mark}  ${name.padEnd(14)}  ${detail}${hint ? `\n${" ".repeat(25)}${hint}` : ""}`;
}
