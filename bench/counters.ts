// Bench: the store's own counters, as GET /metrics shows them: what the database was asked to do. Pure.

export interface Counters {
  statements: number;
  commits: number;
  /** Each counter by its name. */
  byName: Record<string, number>;
}

/** Reads `holdfast_store{counter="statements.recordTask"} 12`. */
export function countersIn(metrics: string): Counters {
  const byName: Record<string, number> = {};
  for (const [, name = "", value] of metrics.matchAll(/^holdfast_store\{counter="([^"]+)"\} (\S+)$/gm))
    byName[name] = Number(value);
  const sum = (kind: string) =>
    Object.entries(byName).reduce((total, [name, value]) => total + (name.startsWith(kind) ? value : 0), 0);
  return { statements: sum("statements"), commits: sum("commits"), byName };
}

/** What was counted between two readings. */
export function between(before: Counters, after: Counters): Counters {
  const byName = Object.fromEntries(
    Object.entries(after.byName)
      .map(([name, value]) => [name, value - (before.byName[name] ?? 0)] as const)
      .filter(([, value]) => value > 0),
  );
  return { statements: after.statements - before.statements, commits: after.commits - before.commits, byName };
}
