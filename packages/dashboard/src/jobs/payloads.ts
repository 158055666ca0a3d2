// Room jobs: payloads to start a test from: the provider's samples and what came in lately. Called by TestTab.
import type { CatalogueEntry, JobInfo, RunDetail } from "@holdfast/protocol";
import { useQueries, useQuery } from "@tanstack/react-query";
import { catalogueEntryQuery, endpointQuery, runQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { ago } from "../parts/format.ts";

export interface Example {
  id: string;
  title: string;
  payload: unknown;
}

const RECENT = 3;

/** Recent payloads first, then the catalogue's samples; for a job fed by an endpoint a sample is a request that carries it. */
export function useExamples(job: JobInfo, now: number): Example[] {
  const env = useEnv();
  const recent = useQueries({
    queries: job.lastRuns.slice(0, RECENT).map((run) => ({ ...runQuery(env, run.id), staleTime: Number.POSITIVE_INFINITY })),
  });
  const endpoint = useQuery({ ...endpointQuery(env, job.endpoint ?? ""), enabled: job.endpoint !== null }).data;
  const entry = useQuery({ ...catalogueEntryQuery(endpoint?.provider ?? ""), enabled: Boolean(endpoint?.provider) }).data;
  const runs = recent.flatMap((query) => (query.data ? [query.data] : []));
  return [...runs.map((run) => fromRun(run, now)), ...fromCatalogue(entry, endpoint?.url ?? "")];
}

const fromRun = (run: RunDetail, now: number): Example => ({
  id: run.id,
  title: `Run of ${ago(Date.parse(run.createdAt), now)}`,
  payload: run.event.payload,
});

export const fromCatalogue = (entry: CatalogueEntry | undefined, url: string): Example[] =>
  (entry?.events ?? []).map((event) => ({
    id: event.name,
    title: `Sample: ${event.title}`,
    payload: { url, method: "POST", headers: { "content-type": "application/json" }, rawBody: JSON.stringify(event.body) },
  }));

/** What is wrong with the text as JSON, or null. */
export function jsonProblem(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "Not JSON.";
  }
}
