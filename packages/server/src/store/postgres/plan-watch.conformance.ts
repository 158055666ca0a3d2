// What statements read, counted by PostgreSQL itself: every statement of every connection is explained as it is executed, with the plan it really has and the
// values it really got (auto_explain). Called by plans.test.ts. Promises: nothing is executed twice, nothing is planned for the sake of counting.
import pg from "pg";
import { vi } from "vitest";
import type { EmbeddedConnection } from "../../platform/postgres/embedded.ts";
import { run } from "./database.conformance.ts";
import { statement, statementNames, statementOfWeek } from "./statements.ts";

interface PlanNode {
  "Node Type": string;
  "Index Name"?: string;
  "Relation Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Join Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  "Index Searches"?: number;
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
  Plans?: PlanNode[];
}

/** Of one statement, the dearest execution of several: rows its nodes gave and threw away, and pages it touched. */
export interface Reading {
  rows: number;
  pages: number;
  /** Its scans, for people. */
  how: string;
}

function scansIn(node: PlanNode): string[] {
  const each = node["Actual Rows"] + removed(node);
  const own = node["Index Name"] ?? node["Relation Name"];
  const said = own && each > 5 ? [`${node["Node Type"]} ${own} ${each}×${node["Actual Loops"]}`] : [];
  return [...said, ...(node.Plans ?? []).flatMap(scansIn)];
}

function removed(node: PlanNode): number {
  const filtered = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Join Filter"] ?? 0);
  return filtered + (node["Rows Removed by Index Recheck"] ?? 0);
}

/** Rows given and thrown away by a node and those below it, and how often each was begun. */
function rowsOf(node: PlanNode): number {
  const searched = node["Actual Loops"] * (node["Actual Rows"] + removed(node) + 1) + (node["Index Searches"] ?? 0);
  return searched + (node.Plans ?? []).reduce((sum, plan) => sum + rowsOf(plan), 0);
}

/** Has the server explain what the connections made from now on execute. Housekeeping stays off, so that plans stay as they were made. */
export async function explainEverything(connection: EmbeddedConnection): Promise<void> {
  const settings = {
    autovacuum: "off",
    log_min_messages: "panic",
    session_preload_libraries: "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "warning",
  };
  const admin = new pg.Client(connection);
  await admin.connect();
  await admin.query("load 'auto_explain'");
  // PostgreSQL 15 does not know it, and does not log them anyway.
  const { rows } = await admin.query<{ name: string }>(
    "select name from pg_settings where name = 'auto_explain.log_parameter_max_length'",
  );
  for (const { name } of rows) await admin.query(`alter system set ${name} = '0'`);
  for (const [name, value] of Object.entries(settings)) await admin.query(`alter system set ${name} = '${value}'`);
  await admin.query("select pg_reload_conf()");
  await admin.end();
  // Connections made before the server has read its settings again would not be explained.
  for (;;) {
    const [row] = await run<{ v: string }>(connection, "select current_setting('auto_explain.log_min_duration', true) as v");
    if (row?.v === "0") return;
  }
}

/** What statements read, by name, as it comes in. Call once; ends with vi.restoreAllMocks. */
export function listenToPlans(week: number): Map<string, Reading> {
  const names = [...statementNames(), ...statementNames("views/")];
  const byText = new Map(names.flatMap((name) => [statement(name), statementOfWeek(name, week)].map(({ text }) => [text, name])));
  const readings = new Map<string, Reading>();
  const note = ({ message = "" }: { message?: string | undefined }): void => {
    const at = message.indexOf("{");
    if (!/^duration: /.test(message) || at < 0) return;
    const { "Query Text": text, Plan: plan } = JSON.parse(message.slice(at)) as { "Query Text": string; Plan: PlanNode };
    const name = byText.get(text.trim());
    if (name === undefined) return;
    const rows = rowsOf(plan);
    const former = readings.get(name);
    if (former && former.rows >= rows) return;
    readings.set(name, { rows, pages: plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], how: scansIn(plan).join(", ") });
  };
  const connect = pg.Client.prototype.connect as (this: pg.Client, ...given: unknown[]) => unknown;
  vi.spyOn(pg.Client.prototype, "connect").mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    this.on("notice", note);
    return connect.apply(this, given);
  } as never);
  return readings;
}
