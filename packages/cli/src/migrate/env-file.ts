// Room: migrate. `.env` files: the address of the service that was shut down, and, if wished, the names. Called by migrate.ts.
// Promise: comments, order, quotes and all other lines stay; a name that would be there twice stays, and is told.
import type { Remark } from "../project/plan.ts";
import { GONE, renamedIn } from "./variables.ts";

const HERE = "http://localhost:3040";
const ASSIGNMENT = /^([ \t\uFEFF]*(?:export[ \t]+)?)([A-Z0-9_]+)([ \t]*=.*)$/gm;

/** @param variables names as they become */
export function migrateEnvFile(
  path: string,
  text: string,
  variables: ReadonlyMap<string, string>,
): { text: string; remarks: Remark[] } {
  const there = new Set([...text.matchAll(ASSIGNMENT)].map(([, , name]) => name));
  const remarks: Remark[] = [];
  const after = text.replace(ASSIGNMENT, (_line, ...[before, name, rest, at]: [string, string, string, number]) => {
    const pointed = name.endsWith("TRIGGER_API_URL") ? rest.replace(GONE, HERE) : rest;
    const now = variables.get(name) ?? name;
    const twice = now !== name && there.has(now);
    if (twice) {
      const line = text.slice(0, at).split("\n").length;
      remarks.push({ path, line, message: `${name} stays, since ${now} is there, too: take out the one that is not meant` });
    }
    // Others' values are quoted with `$` in front.
    return `${before}${twice ? name : now}${pointed.replace(/\$\{?[A-Z_]+/g, (used) => renamedIn(used, variables))}`;
  });
  return { text: after, remarks };
}
