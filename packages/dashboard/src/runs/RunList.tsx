// Room runs: rows of runs, on the runs page and on a job's page. Promises: newest first, live, more pages by cursor.
import type { RunSummary } from "@holdfast/protocol";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import type { Query } from "../api/client.ts";
import { runsQuery } from "../api/queries.ts";
import { useNow } from "../browser/clock.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Button, When } from "../parts/controls.tsx";
import { duration, shortId } from "../parts/format.ts";
import { type Column, Grid } from "../parts/Grid.tsx";
import { Async } from "../parts/layout.tsx";
import { RUN_LOOK, Status, Tag } from "../parts/status.tsx";

function Took({ run }: { run: RunSummary }) {
  const now = useNow();
  if (!run.startedAt) return <span className="text-faint">–</span>;
  const end = run.completedAt ? Date.parse(run.completedAt) : now;
  return <>{duration(end - Date.parse(run.startedAt))}</>;
}

function Job({ run }: { run: RunSummary }) {
  return (
    <>
      <span className="flex items-center gap-1.5">
        <Link to="/runs/$id" params={{ id: run.id }} className="truncate font-medium hover:underline">
          {run.jobName}
        </Link>
        {run.isTest && <Tag>test</Tag>}
      </span>
      {run.error ? (
        <span className="block truncate text-xs text-bad">{run.error}</span>
      ) : (
        <span className="mono block truncate text-xs text-faint">{run.job}</span>
      )}
    </>
  );
}

const COLUMNS: Column<RunSummary>[] = [
  { title: "Status", width: "8.5rem", narrow: "6.5rem", cell: (run) => <Status look={RUN_LOOK[run.status]} /> },
  { title: "Job", width: "minmax(10rem,2fr)", narrow: "minmax(0,1fr)", cell: (run) => <Job run={run} /> },
  { title: "Event", width: "minmax(7rem,1fr)", cell: (run) => <span className="mono text-soft">{run.eventName}</span> },
  { title: "Started", width: "5.5rem", narrow: "4rem", cell: (run) => <When at={run.startedAt ?? run.createdAt} /> },
  { title: "Duration", width: "5rem", cell: (run) => <Took run={run} /> },
  { title: "Ran", width: "4.5rem", cell: (run) => <span title="Time inside executions">{duration(run.executionMs)}</span> },
  { title: "Executions", width: "5rem", cell: (run) => run.executions },
  { title: "Version", width: "4rem", cell: (run) => <span className="text-soft">{run.version}</span> },
  { title: "Run", width: "6rem", cell: (run) => <span className="mono text-faint">{shortId(run.id)}</span> },
];

export function RunList({ query, empty }: { query: Query; empty: ReactNode }) {
  const env = useEnv();
  const client = useQueryClient();
  const options = runsQuery(env, query);
  const runs = useInfiniteQuery(options);
  const rows = useMemo(() => runs.data?.pages.flatMap((page) => page.items) ?? [], [runs.data]);
  const more = { has: runs.hasNextPage, busy: runs.isFetchingNextPage, load: () => void runs.fetchNextPage() };
  return (
    <Async query={runs} what="runs">
      {(data) => (
        <>
          {data.pages.length > 2 && (
            <p className="flex items-center gap-2 px-4 pb-1.5 text-xs text-soft">
              Showing the {rows.length} runs loaded. Their statuses stay current; new runs appear at the top.
              <Button kind="quiet" onClick={() => void client.resetQueries({ queryKey: options.queryKey })}>
                Back to the newest
              </Button>
            </p>
          )}
          {rows.length === 0 ? (
            empty
          ) : (
            <Grid label="Runs" rows={rows} columns={COLUMNS} href={(run) => `/runs/${run.id}`} more={more} />
          )}
        </>
      )}
    </Async>
  );
}
