// Bench of peers: the plot, as SVG written by hand: six panels, linear scales from zero, readable on light and on dark paper. Pure.
import type { Comparison, FigureName, PeerResult } from "./figures.ts";
import { formatted } from "./report.ts";

const PANEL = { width: 400, height: 236, gap: 24, columns: 2 };
const LABEL = 112;
const VALUE = 104;
const ROW = 28;
const TOP = 52;

interface Bars {
  title: string;
  hint: string;
  unit: string;
  /** Length of the bar. */
  value: FigureName;
  /** A second, fainter bar: behind the first when it is of the same kind (p99), after it when it adds up. */
  second?: FigureName;
  adds?: boolean;
}

const PANELS: readonly Bars[] = [
  { title: "No-op jobs, 50 submitters", hint: "jobs/s, more is better", unit: "/s", value: "jobs" },
  {
    title: "A lone job until seen completed",
    hint: "p50 / p99; less is better",
    unit: "ms",
    value: "loneP50",
    second: "loneP99",
  },
  { title: "20 runs × 20 steps", hint: "steps/s, more is better", unit: "/s", value: "steps" },
  {
    title: "2,000 sleepers due at once",
    hint: "late, p50 / p99; less is better",
    unit: "ms",
    value: "lateP50",
    second: "lateP99",
  },
  {
    title: "Memory under the no-op jobs",
    hint: "server and database, faint: app; less is better",
    unit: "MB",
    value: "peakMemory",
    second: "peakAppMemory",
    adds: true,
  },
];

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2937; }
  .title { font-weight: 600; font-size: 15px; } .hint { fill: #6b7280; font-size: 12px; }
  .ours { fill: #2563eb; } .peer { fill: #94a3b8; } .faint { opacity: .4; } .axis { stroke: #9ca3af; stroke-width: 1; }
  path { fill: none; stroke-width: 2; stroke: #94a3b8; } path.line-ours { stroke: #2563eb; stroke-width: 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e5e7eb; } .hint { fill: #9ca3af; } .ours { fill: #60a5fa; } .peer { fill: #64748b; }
    path { stroke: #64748b; } path.line-ours { stroke: #60a5fa; }
  }`;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const round = (value: number): string => String(Math.round(value * 10) / 10);

function text(x: number, y: number, words: string, attributes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escaped(words)}</text>`;
}

function heading(title: string, hint: string): string {
  return text(0, 16, title, ' class="title"') + text(0, 35, hint, ' class="hint"');
}

function bar(x: number, y: number, width: number, className: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, width))}" height="16" rx="2" class="${className}"/>`;
}

/** The length that stands for the longest bar of the panel. */
function longest(panel: Bars, peers: readonly PeerResult[]): number {
  const lengths = peers.map(({ figures }) => {
    const [first = 0, second = 0] = [figures[panel.value], panel.second ? figures[panel.second] : 0];
    return panel.adds ? first + second : Math.max(first, second);
  });
  return Math.max(...lengths, Number.MIN_VALUE);
}

/** The sum of what adds up; otherwise both, when there are two. */
function shownOf({ unit, second: name, adds }: Bars, first: number, second: number): string {
  if (adds) return formatted(first + second, unit);
  return name ? `${formatted(first, unit).replace(` ${unit}`, "")} / ${formatted(second, unit)}` : formatted(first, unit);
}

function barRow(panel: Bars, peer: PeerResult, y: number, scale: number): string {
  const [first, second = 0] = [peer.figures[panel.value], panel.second ? peer.figures[panel.second] : 0];
  const label = text(LABEL - 8, y + 13, peer.name, ' text-anchor="end"');
  if (first === undefined) return label + text(LABEL, y + 13, "not measured", ' class="hint"');
  const color = peer.name === "Holdfast" ? "ours" : "peer";
  const faint = panel.adds
    ? bar(LABEL + first * scale, y, second * scale, `${color} faint`)
    : bar(LABEL, y, second * scale, `${color} faint`);
  const end = (panel.adds ? first + second : Math.max(first, second)) * scale;
  const shown = shownOf(panel, first, second);
  return label + faint + bar(LABEL, y, first * scale, color) + text(LABEL + end + 6, y + 13, shown);
}

function barPanel(panel: Bars, peers: readonly PeerResult[]): string {
  const scale = (PANEL.width - LABEL - VALUE) / longest(panel, peers);
  return heading(panel.title, panel.hint) + peers.map((peer, i) => barRow(panel, peer, TOP + i * ROW, scale)).join("");
}

/** Moves labels that would overlap apart, downwards, keeping their order. */
export function apart(positions: readonly number[], distance: number): number[] {
  const order = positions.map((_, i) => i).sort((a, b) => (positions[a] ?? 0) - (positions[b] ?? 0));
  const moved = [...positions];
  let last = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    last = Math.max(moved[i] ?? 0, last + distance);
    moved[i] = last;
  }
  return moved;
}

/** What a step costs along a run of 2,000 steps: one line a peer that records steps. */
function curvePanel(peers: readonly PeerResult[]): string {
  const drawn = peers.filter(({ curve }) => curve.length > 1);
  const top = Math.max(...drawn.flatMap(({ curve }) => curve), Number.MIN_VALUE);
  const [left, width, height] = [40, PANEL.width - 180, PANEL.height - TOP - 30];
  const y = (value: number) => TOP + height * (1 - value / top);
  const lines = drawn.map(({ name, curve }) => {
    const points = curve.map((value, i) => `${round(left + (width * i) / (curve.length - 1))},${round(y(value))}`);
    return `<path d="M${points.join("L")}"${name === "Holdfast" ? ' class="line-ours"' : ""}/>`;
  });
  const ends = apart(
    drawn.map(({ curve }) => y(curve.at(-1) ?? 0) + 4),
    15,
  );
  const labels = drawn.map(({ name, curve }, i) =>
    text(left + width + 8, ends[i] ?? 0, `${name} ${formatted(curve.at(-1), "ms")}`),
  );
  const axes = [
    `<path class="axis" d="M${left},${TOP}V${TOP + height}H${left + width}"/>`,
    text(left - 6, TOP + 10, top.toFixed(1), ' class="hint" text-anchor="end"'),
    text(left - 6, TOP + height, "0", ' class="hint" text-anchor="end"'),
    text(left, TOP + height + 18, "step 1", ' class="hint"'),
    text(left + width, TOP + height + 18, "step 2,000", ' class="hint" text-anchor="end"'),
  ];
  return heading("A step along a run of 2,000", "ms, medians of 200; flat is better") + [...axes, ...lines, ...labels].join("");
}

/** The whole picture. */
export function plot({ peers, machine, rounds }: Comparison): string {
  const panels = [...PANELS.map((panel) => barPanel(panel, peers)), curvePanel(peers)];
  const rows = Math.ceil(panels.length / PANEL.columns);
  const width = PANEL.columns * PANEL.width + (PANEL.columns + 1) * PANEL.gap;
  const height = rows * (PANEL.height + PANEL.gap) + 2 * PANEL.gap;
  const placed = panels.map((panel, i) => {
    const x = PANEL.gap + (i % PANEL.columns) * (PANEL.width + PANEL.gap);
    const y = PANEL.gap + Math.floor(i / PANEL.columns) * (PANEL.height + PANEL.gap);
    return `<g transform="translate(${x} ${y})">${panel}</g>`;
  });
  const foot = text(PANEL.gap, height - 16, `${machine}; medians of ${rounds} rounds`, ' class="hint"');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Holdfast and its peers, measured">
<style>${STYLE}
</style>
${[...placed, foot].join("\n")}
</svg>
`;
}
