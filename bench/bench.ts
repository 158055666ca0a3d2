// Bench: `npm run bench -- [--rounds 3] [--only jobs,steps] [--backlog 100000] [--at-once 10000] [--sleepers 10000] [--json] [--write]`. Prints every figure with this machine's own raw limits,
// taken in the same run. With --peers it measures us beside others (bench/peers), and --only takes their names. Writes nothing but stdout, unless --write
// asks for the pages.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cleanUp, ROOT } from "../tests/harness/processes.ts";
import { type Figure, medians, table } from "./figure.ts";
import { MEASURES, type Measure } from "./measures.ts";
import { comparePeers } from "./peers/compare.ts";
import { KINDS } from "./peers/kinds.ts";
import { withSection, writePages } from "./peers/pages.ts";
import { report } from "./peers/report.ts";
import { scaleReport } from "./peers/scale.ts";
import { Stand } from "./stand.ts";

const PAGE = join(ROOT, "docs/performance.md");

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    only: { type: "string" },
    backlog: { type: "string", default: "100000" },
    "at-once": { type: "string", default: "10000" },
    sleepers: { type: "string", default: "10000" },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    peers: { type: "boolean", default: false },
  },
});

interface Section {
  title: string;
  figures: Figure[];
  /** Raw limits taken again between its rounds; they go before those of the beginning. */
  beside: Figure[];
}

function chosen(): Measure[] {
  const names = options.only?.split(",") ?? Object.keys(MEASURES);
  return names.map((name) => {
    const measure = MEASURES[name];
    if (!measure) throw new Error(`There is no measure "${name}"; there are ${Object.keys(MEASURES).join(", ")}.`);
    return measure;
  });
}

function numbers<K extends string>(texts: Record<K, string>): Record<K, number> {
  const entries = Object.entries(texts).map(([key, text]) => [key, Number(text)]);
  return Object.fromEntries(entries) as Record<K, number>;
}

async function repeated(stand: Stand, measure: Measure): Promise<Section> {
  const rounds: Figure[][] = [];
  const commits: Figure[][] = [];
  const count = Math.min(Number(options.rounds), measure.most ?? Number.POSITIVE_INFINITY);
  for (let i = 0; i < count; i++) {
    commits.push([await stand.oneCommitNow()]);
    const sizes = { backlog: options.backlog, atOnce: options["at-once"], sleepers: options.sleepers };
    rounds.push(await measure.round(stand, numbers(sizes)));
  }
  return { title: measure.title, figures: medians(rounds), beside: medians(commits) };
}

async function main(): Promise<void> {
  const measures = chosen();
  const [load = 0] = loadavg();
  const stand = await Stand.open();
  const limits = await stand.rawLimits();
  const sections: Section[] = [{ title: "This machine's raw limits", figures: limits, beside: [] }];
  await warmUp(stand);
  for (const measure of measures) {
    const section = await repeated(stand, measure);
    sections.push(section);
    process.stderr.write(`measured: ${section.title}\n`);
  }
  await stand.close();
  const text = sections.map((section) => printed(section, limits)).join("\n");
  process.stdout.write(options.json ? `${JSON.stringify(sections, null, 2)}\n` : `${text}\n`);
  if (options.write) writePage(text, load);
}

function printed({ title, figures, beside }: Section, limits: readonly Figure[]): string {
  const named = beside.map((figure) => ({ ...figure, name: `${figure.name}, taken beside these` }));
  return table(title, [...figures, ...named], [...beside, ...limits]);
}

/** Every path once and a little more, so that the first round does not pay for compiling. */
async function warmUp(stand: Stand): Promise<void> {
  await stand.send("steps", { steps: 1_500 });
  await Promise.all(Array.from({ length: 400 }, () => stand.webhook()));
  await Promise.all(Array.from({ length: 300 }, () => stand.send("no-op")));
  await stand.finished(701);
}

/** @param load of the machine before the bench began: above 1, somebody else was at work too */
function writePage(text: string, load: number): void {
  const machine = `${cpus().length} cores, Node ${process.versions.node}; medians of ${options.rounds} rounds. Load of the machine before it began: ${load.toFixed(1)}.`;
  writeFileSync(PAGE, withSection(readFileSync(PAGE, "utf8"), "bench", `${machine}\n\n${text}`));
}

async function peers(): Promise<void> {
  const only = options.only?.split(",");
  if (options.write && only && only.length < Object.keys(KINDS).length)
    throw new Error("--write takes all peers, not --only some.");
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const comparison = await comparePeers({ rounds: Number(options.rounds), only, log });
  const text = `${report(comparison)}\n\n${scaleReport(comparison)}`;
  process.stdout.write(options.json ? `${JSON.stringify(comparison, null, 2)}\n` : `${text}\n`);
  if (options.write) writePages(comparison);
}

try {
  await (options.peers ? peers() : main());
} finally {
  await cleanUp();
}
