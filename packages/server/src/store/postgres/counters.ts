// Room: store. Counts what the database is asked to do, by kind: the bench and the metrics route read it, tests prove batching with it.

export interface Counters {
  /** Statements sent, by name without the week. */
  readonly statements: Record<string, number>;
  /** Batches committed, by kind. */
  readonly commits: Record<string, number>;
  /** Items those batches held, by kind. */
  readonly items: Record<string, number>;
  statement(name: string): void;
  batch(kind: string, items: number): void;
}

export function createCounters(): Counters {
  const statements: Record<string, number> = {};
  const commits: Record<string, number> = {};
  const items: Record<string, number> = {};
  const add = (to: Record<string, number>, key: string, n: number): void => {
    to[key] = (to[key] ?? 0) + n;
  };
  return {
    statements,
    commits,
    items,
    statement: (name) => {
      const at = name.indexOf("@");
      add(statements, at < 0 ? name : name.slice(0, at), 1);
    },
    batch: (kind, count) => {
      add(commits, kind, 1);
      add(items, kind, count);
    },
  };
}
