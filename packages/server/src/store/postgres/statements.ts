// Room: store. Reads the SQL files, one statement each, once at start. Called by the stores' parts through `statement(name)`.
// Promises: a statement's name is stable, so that a connection plans it once; `/* part */` is replaced by sql/parts/<part>.sql, and
// `runs_of_week` (deliveries, events, tasks alike) by the table of the week asked for.
import { readdirSync, readFileSync } from "node:fs";
import { weekName } from "./weeks.ts";

/** What a connection needs to run a statement: prepared once under its name. */
export interface Prepared {
  name: string;
  text: string;
}

const ROOT = new URL("./sql/", import.meta.url);
const OF_WEEK = /\b(deliveries|events|runs|tasks)_of_week\b/g;

const parts = new Map(
  readdirSync(new URL("parts/", ROOT)).map((file) => [
    file.replace(/\.sql$/, ""),
    readFileSync(new URL(`parts/${file}`, ROOT), "utf8").trim(),
  ]),
);
const texts = new Map<string, string>();
const prepared = new Map<string, Prepared>();

function read(name: string): string {
  let text = texts.get(name);
  if (text === undefined) {
    const source = readFileSync(new URL(`${name}.sql`, ROOT), "utf8").replace(/^--.*\n/gm, "");
    text = source.replace(/\/\* ([a-z-]+) \*\//g, (marker, part: string) => parts.get(part) ?? marker).trim();
    texts.set(name, text);
  }
  return text;
}

/** The statement of that file (views: "views/<name>"). */
export function statement(name: string): Prepared {
  let found = prepared.get(name);
  if (!found) {
    found = { name, text: read(name) };
    prepared.set(name, found);
  }
  return found;
}

/** The statement for one week's tables. Naming them directly keeps its plan the same however many weeks there are. */
export function statementOfWeek(name: string, week: number): Prepared {
  const key = `${name}@${week}`;
  let found = prepared.get(key);
  if (!found) {
    found = { name: key, text: read(name).replace(OF_WEEK, (_, table: string) => weekName(table, week)) };
    prepared.set(key, found);
  }
  return found;
}

/** Names of all statements, for tests that prepare each. */
export function statementNames(folder = ""): string[] {
  const files = readdirSync(new URL(folder, ROOT)).filter((file) => file.endsWith(".sql"));
  return files.map((file) => folder + file.replace(/\.sql$/, ""));
}
