// Room api: what each screen reads, as TanStack Query options. Keys start ["env", slug, kind], which live.ts invalidates by kind.
import type {
  AppInfo,
  CatalogueEntry,
  CatalogueSummary,
  DeliveryDetail,
  DeliverySummary,
  EndpointInfo,
  EnvironmentInfo,
  EnvironmentKeys,
  IntegrationsInfo,
  JobInfo,
  Overview,
  Page,
  RunDetail,
  RunSummary,
  SessionInfo,
  Skip,
  TaskView,
} from "@holdfast/protocol";
import { infiniteQueryOptions, keepPreviousData, type QueryClient, queryOptions } from "@tanstack/react-query";
import { get, inEnvironment, type Query, queryString } from "./client.ts";

export const PAGE_SIZE = 50;
const TASK_PAGE_SIZE = 500;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => get<SessionInfo>("/api/v1/session", signal),
  staleTime: 60_000,
});

export const environmentsQuery = queryOptions({
  queryKey: ["environments"],
  queryFn: ({ signal }) => get<EnvironmentInfo[]>("/api/v1/environments", signal),
});

const list = <T>(env: string, kind: string) =>
  queryOptions({ queryKey: ["env", env, kind], queryFn: ({ signal }) => get<T[]>(inEnvironment(env, kind), signal) });

export const jobsQuery = (env: string) => list<JobInfo>(env, "jobs");
export const endpointsQuery = (env: string) => list<EndpointInfo>(env, "endpoints");
export const appsQuery = (env: string) => list<AppInfo>(env, "apps");

export const integrationsQuery = (env: string) =>
  queryOptions({
    queryKey: ["env", env, "integrations"],
    queryFn: ({ signal }) => get<IntegrationsInfo>(inEnvironment(env, "integrations"), signal),
  });

export const overviewQuery = (env: string) =>
  queryOptions({
    queryKey: ["env", env, "overview"],
    queryFn: ({ signal }) => get<Overview>(inEnvironment(env, "overview"), signal),
  });

export const jobQuery = (env: string, id: string) =>
  queryOptions({
    queryKey: ["env", env, "jobs", id],
    queryFn: ({ signal }) => get<JobInfo>(inEnvironment(env, "jobs", id), signal),
  });

export const endpointQuery = (env: string, id: string) =>
  queryOptions({
    queryKey: ["env", env, "endpoints", id],
    queryFn: ({ signal }) => get<EndpointInfo>(inEnvironment(env, "endpoints", id), signal),
  });

/** The keys in clear; never kept in the cache after the last reader is gone. */
export const keysQuery = (env: string) =>
  queryOptions({
    queryKey: ["keys", env],
    queryFn: ({ signal }) => get<EnvironmentKeys>(inEnvironment(env, "keys"), signal),
    gcTime: 0,
  });

const paged = <T>(env: string, path: readonly [string, ...string[]], query: Query) =>
  infiniteQueryOptions({
    queryKey: ["env", env, ...path, query],
    queryFn: ({ pageParam, signal }) =>
      get<Page<T>>(inEnvironment(env, ...path) + queryString({ ...query, limit: String(PAGE_SIZE), cursor: pageParam }), signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<T>) => last.nextCursor,
    placeholderData: keepPreviousData,
  });

export const runsQuery = (env: string, query: Query) => paged<RunSummary>(env, ["runs"], query);
export const deliveriesQuery = (env: string, query: Query) => paged<DeliverySummary>(env, ["deliveries"], query);

/** Events that started no run of a job. */
export const skipsQuery = (env: string, job: string) => paged<Skip>(env, ["jobs", job, "skips"], {});

export const runQuery = (env: string, id: string) =>
  queryOptions({
    queryKey: ["env", env, "run", id],
    queryFn: ({ signal }) => get<RunDetail>(inEnvironment(env, "runs", id), signal),
  });

export const deliveryQuery = (env: string, id: string) =>
  queryOptions({
    queryKey: ["env", env, "delivery", id],
    queryFn: ({ signal }) => get<DeliveryDetail>(inEnvironment(env, "deliveries", id), signal),
  });

interface TaskPage extends Page<TaskView> {
  cursor: string | undefined;
}

const settled = (page: TaskPage): boolean =>
  page.nextCursor !== undefined && page.items.every((task) => ["COMPLETED", "ERRORED", "CANCELED"].includes(task.status));

/**
 * Every task of a run. A page whose tasks are all final can never change, so a refetch starts at the first page that can:
 * following a run of 10,000 tasks costs one or two requests a change. Pages appear as they arrive.
 */
export const tasksQuery = (env: string, id: string, client: QueryClient) => {
  const queryKey = ["env", env, "tasks", id];
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }) => {
      const known = client.getQueryData<TaskPage[]>(queryKey) ?? [];
      const pages = known.slice(0, prefixLength(known, settled));
      let cursor = pages.at(-1)?.nextCursor;
      do {
        const path = inEnvironment(env, "runs", id, "tasks") + queryString({ cursor, limit: String(TASK_PAGE_SIZE) });
        const page = await get<Page<TaskView>>(path, signal);
        pages.push({ ...page, cursor });
        cursor = page.nextCursor;
        if (pages.length >= known.length) client.setQueryData(queryKey, [...pages]);
      } while (cursor !== undefined);
      return pages;
    },
  });
};

function prefixLength<T>(items: readonly T[], keep: (item: T) => boolean): number {
  const end = items.findIndex((item) => !keep(item));
  return end === -1 ? items.length : end;
}

export const catalogueQuery = queryOptions({
  queryKey: ["catalogue"],
  queryFn: ({ signal }) => get<CatalogueSummary[]>("/api/v1/catalogue", signal),
  staleTime: Number.POSITIVE_INFINITY,
});

export const catalogueEntryQuery = (id: string) =>
  queryOptions({
    queryKey: ["catalogue", id],
    queryFn: ({ signal }) => get<CatalogueEntry>(`/api/v1/catalogue/${encodeURIComponent(id)}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
