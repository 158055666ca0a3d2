// Bench of peers: the pages made of figures.json: the table in docs/performance.md, docs/performance.svg, the calculation in docs/scale.md.
// `--write` measures and writes all four; pages.test.ts holds the pages to the file.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../tests/harness/processes.ts";
import type { Comparison } from "./figures.ts";
import { report } from "./report.ts";
import { scaleReport } from "./scale.ts";
import { plot } from "./svg.ts";

const at = (path: string): string => join(ROOT, path);
const FIGURES_FILE = at("bench/peers/figures.json");

/** Puts text between `<!-- name: from here -->` and `<!-- name: to here -->`. */
export function withSection(page: string, name: string, text: string): string {
  const marks = [`<!-- ${name}: from here -->`, `<!-- ${name}: to here -->`] as const;
  const [before, rest] = page.split(marks[0]);
  const after = rest?.split(marks[1])[1];
  if (before === undefined || after === undefined) throw new Error(`the page lacks ${marks.join(" and ")}`);
  return `${before}${marks[0]}\n\n${text}\n\n${marks[1]}${after}`;
}

/** Path → what it must hold. */
export function pagesOf(comparison: Comparison): Record<string, string> {
  const page = (path: string) => readFileSync(at(path), "utf8");
  return {
    "docs/performance.md": withSection(page("docs/performance.md"), "peers", report(comparison)),
    "docs/performance.svg": plot(comparison),
    "docs/scale.md": withSection(page("docs/scale.md"), "scale", scaleReport(comparison)),
  };
}

export function recorded(): Comparison {
  return JSON.parse(readFileSync(FIGURES_FILE, "utf8")) as Comparison;
}

export function writePages(comparison: Comparison): void {
  writeFileSync(FIGURES_FILE, `${JSON.stringify(comparison, null, 2)}\n`);
  for (const [path, text] of Object.entries(pagesOf(comparison))) writeFileSync(at(path), text);
}
