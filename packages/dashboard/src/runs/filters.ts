// Room runs: the runs list's filters, from the URL to the API and back. Pure; called by RunsPage and tested.
import type { Query } from "../api/client.ts";
import { RUN_GROUPS } from "../parts/status.tsx";

export interface RunsSearch {
  /** Group names, comma separated. */
  status?: string;
  job?: string;
  /** A span back from now: "1h", "24h", … */
  since?: string;
  after?: string;
  before?: string;
  q?: string;
}

export const SPANS: readonly [name: string, words: string, ms: number][] = [
  ["15m", "Last 15 minutes", 900_000],
  ["1h", "Last hour", 3_600_000],
  ["24h", "Last 24 hours", 86_400_000],
  ["7d", "Last 7 days", 604_800_000],
  ["30d", "Last 30 days", 2_592_000_000],
];

const ROUND_MS = 60_000;

export const groupsOf = (status: string | undefined): string[] => (status ?? "").split(",").filter((name) => name in RUN_GROUPS);

export function toggleGroup(status: string | undefined, group: string): string | undefined {
  const groups = groupsOf(status);
  const next = groups.includes(group) ? groups.filter((each) => each !== group) : [...groups, group];
  return next.length === 0 ? undefined : next.join(",");
}

/** The API's query. A span's start is rounded down to the minute, so the same view keeps the same cache entry for a while. */
export function apiQuery(search: RunsSearch, now: number): Query {
  const span = SPANS.find(([name]) => name === search.since);
  const since = span ? new Date(Math.floor((now - span[2]) / ROUND_MS) * ROUND_MS).toISOString() : undefined;
  return {
    status: groupsOf(search.status).flatMap((group) => RUN_GROUPS[group]?.statuses ?? []),
    job: search.job,
    after: search.after ?? since,
    before: search.before,
    q: search.q,
  };
}

export const isFiltered = (search: RunsSearch): boolean =>
  [search.status, search.job, search.since, search.after, search.before, search.q].some((value) => value !== undefined);
