// Bench: one measured figure, the median of several rounds, and how figures are printed. Pure but for nothing: callers print.
import { median } from "./statistics.ts";

export type Unit = "ms" | "/s" | "statements" | "commits" | "%";

export interface Figure {
  name: string;
  value: number;
  unit: Unit;
  /** Names of the raw limits it is compared with. */
  against?: string | readonly string[];
}

/** Figures of the same name become one, with the median of their values. */
export function medians(rounds: readonly (readonly Figure[])[]): Figure[] {
  const [first = []] = rounds;
  return first.map((figure) => {
    const values = rounds.flatMap((round) => round.flatMap(({ name, value }) => (name === figure.name ? [value] : [])));
    return { ...figure, value: median(values) };
  });
}

export function formatted({ value, unit }: Figure): string {
  if (unit === "/s") return `${Math.round(value).toLocaleString("en")}/s`;
  if (unit === "%") return `${value.toFixed(0)} %`;
  return `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
}

/** What the figure is of the raw limits it names: "1.4 × one commit"; empty when it names none. */
export function ratio({ value, against = [] }: Figure, limits: readonly Figure[]): string {
  const found = [against].flat().flatMap((wanted) => limits.find(({ name }) => name === wanted) ?? []);
  return found.map((limit) => `${(value / limit.value).toFixed(2)} × ${limit.name}`).join("; ");
}

/** A table in Markdown. */
export function table(title: string, figures: readonly Figure[], limits: readonly Figure[]): string {
  const rows = figures.map((figure) => `| ${figure.name} | ${formatted(figure)} | ${ratio(figure, limits)} |`);
  return [`### ${title}`, "", "| what | median | against the raw limit |", "|---|---:|---|", ...rows, ""].join("\n");
}
