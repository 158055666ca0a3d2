// Bench of peers: what was measured, in Markdown. Pure; pages.ts puts it between the marks of docs/performance.md, and a test holds the page to figures.json.
import { type Comparison, FIGURES, type FigureKind, type FigureName, type PeerResult } from "./figures.ts";

/** "1,234/s", "0.61 ms", "943 bytes"; a dash for what was not measured. */
export function formatted(value: number | undefined, unit: string): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (unit === "/s") return `${Math.round(value).toLocaleString("en")}/s`;
  if (unit === "MB" || unit === "bytes") return `${Math.round(value).toLocaleString("en")} ${unit}`;
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

/** How a value compares with ours: "0.42 ×"; empty for what cannot be compared. */
function toOurs(value: number | undefined, ours: number | undefined): string {
  if (value === undefined || ours === undefined || !(ours > 0) || !Number.isFinite(value)) return "";
  const ratio = value / ours;
  return ` (${ratio.toFixed(ratio >= 10 ? 0 : 2)} ×)`;
}

/** Ours against the raw limit the figure names: "0.25 × commits/s, 50 writers". */
function toLimit(value: number | undefined, kind: FigureKind, limits: Comparison["limits"]): string {
  const limit = limits.find(({ name }) => name === kind.against);
  return limit && value !== undefined ? `${(value / limit.value).toFixed(2)} × ${limit.name}` : "";
}

function row(name: FigureName, { peers, limits }: Comparison): string {
  const kind: FigureKind = FIGURES[name];
  const [ours, ...others] = peers.map(({ figures }) => figures[name]);
  const cells = others.map((value) => formatted(value, kind.unit) + toOurs(value, ours));
  return `| ${[kind.title, formatted(ours, kind.unit), ...cells, toLimit(ours, kind, limits)].join(" | ")} |`;
}

function figuresTable(comparison: Comparison): string {
  const names = (Object.keys(FIGURES) as FigureName[]).filter((name) =>
    comparison.peers.some(({ figures }) => figures[name] !== undefined),
  );
  const head = ["what", ...comparison.peers.map(({ name }) => name), `${comparison.peers[0]?.name} against the raw limit`];
  const rule = ["---", ...comparison.peers.map(() => "---:"), "---"];
  return [`| ${head.join(" | ")} |`, `|${rule.join("|")}|`, ...names.map((name) => row(name, comparison))].join("\n");
}

function peersTable({ peers }: Comparison): string {
  const rows = peers.map(({ name, version, steps, sleepsInside, records, settings }) => {
    const sleeper = sleepsInside ? "a run that sleeps" : "a job submitted with a delay";
    return `| ${name} ${version} | ${records} | ${steps} | ${sleeper} | ${settings} |`;
  });
  return ["| | writes down | a step is | a sleeper is | settings |", "|---|---|---|---|---|", ...rows].join("\n");
}

function limitsTable({ limits }: Comparison): string {
  const rows = limits.map(({ name, value, unit }) => `| ${name} | ${formatted(value, unit)} |`);
  return ["| raw limit of the machine | median |", "|---|---:|", ...rows].join("\n");
}

function failuresOf(peers: readonly PeerResult[]): string[] {
  const lines = peers.flatMap(({ name, failures }) =>
    failures.map(({ workload, reason }) => `- ${name}, ${workload}: ${reason.replace(/\s+/g, " ").slice(0, 400)}`),
  );
  return lines.length > 0 ? ["Failed or skipped:", "", ...lines, ""] : [];
}

/** Everything between the marks. */
export function report(comparison: Comparison): string {
  return [
    `${comparison.machine}; medians of ${comparison.rounds} rounds, the peers in turns. In brackets: what it is of ours.`,
    "",
    figuresTable(comparison),
    "",
    ...failuresOf(comparison.peers),
    limitsTable(comparison),
    "",
    peersTable(comparison),
  ].join("\n");
}
