// Room jobs: /jobs/:id. One job: its trigger and filter, its runs, and a test.
import type { JobInfo } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Tabs } from "radix-ui";
import { useMemo } from "react";
import { jobQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Json } from "../parts/Code.tsx";
import { count } from "../parts/format.ts";
import { Async, Empty, Facts, PageHead, Section } from "../parts/layout.tsx";
import { RunStrip, Tag } from "../parts/status.tsx";
import { RunList } from "../runs/RunList.tsx";
import { SkippedTab } from "./SkippedTab.tsx";
import { TestTab } from "./TestTab.tsx";

export function JobPage() {
  const { id } = useParams({ from: "/jobs/$id" });
  const job = useQuery(jobQuery(useEnv(), id));
  return (
    <Async query={job} what="job">
      {(data) => <LoadedJob job={data} />}
    </Async>
  );
}

const TABS = ["runs", "skipped", "test", "trigger"] as const;
const TAB =
  "-mb-px border-b-2 border-transparent px-2.5 py-1.5 text-soft capitalize hover:text-ink data-[state=active]:border-accent data-[state=active]:font-semibold data-[state=active]:text-ink";

function LoadedJob({ job }: { job: JobInfo }) {
  const search = useSearch({ from: "/jobs/$id" });
  const navigate = useNavigate({ from: "/jobs/$id" });
  const tab = TABS.find((each) => each === search.tab) ?? "runs";
  const query = useMemo(() => ({ job: job.id }), [job.id]);
  return (
    <div className="flex h-full flex-col">
      <PageHead
        title={job.name}
        parent={{ to: "/jobs", title: "Jobs" }}
        badge={job.enabled ? null : <Tag tone="wait">disabled</Tag>}
      />
      <div className="px-4 pb-3">
        <JobFacts job={job} />
      </div>
      <Tabs.Root
        value={tab}
        onValueChange={(next) => void navigate({ search: (now) => ({ ...now, tab: next }), replace: true })}
        className="flex min-h-0 flex-1 flex-col"
      >
        <Tabs.List aria-label="Views of this job" className="flex gap-1 border-b border-line px-4">
          {TABS.map((each) => (
            <Tabs.Trigger key={each} value={each} className={TAB}>
              {each}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value="runs" className="flex min-h-0 flex-1 flex-col pt-2">
          <RunList query={query} empty={<NoRuns job={job} />} />
        </Tabs.Content>
        <Tabs.Content value="skipped" className="min-h-0 flex-1 overflow-auto p-4">
          <SkippedTab job={job.id} />
        </Tabs.Content>
        <Tabs.Content value="test" className="min-h-0 flex-1 overflow-auto p-4">
          <TestTab job={job} />
        </Tabs.Content>
        <Tabs.Content value="trigger" className="min-h-0 flex-1 overflow-auto p-4">
          <Section title="Filter" className="max-w-3xl">
            <Json value={job.trigger.filter} label="trigger filter" none="No filter: every event of this trigger starts a run." />
          </Section>
        </Tabs.Content>
      </Tabs.Root>
    </div>
  );
}

function JobFacts({ job }: { job: JobInfo }) {
  const trigger = job.endpoint ? (
    <Link to="/endpoints/$id" params={{ id: job.endpoint }} className="text-accent hover:underline">
      {job.trigger.title}
    </Link>
  ) : (
    job.trigger.title
  );
  return (
    <Facts
      facts={[
        [
          "Job",
          <span key="id" className="mono">
            {job.id}
          </span>,
        ],
        ["Trigger", trigger],
        ["Version", job.version],
        ["App", job.app],
        ["Integrations", job.integrations.length > 0 ? <Integrations key="integrations" job={job} /> : "none"],
        ["Runs, 24 h", count(job.runs24h)],
        [
          "Failed, 24 h",
          <span key="failed" className={job.failed24h > 0 ? "font-medium text-bad" : ""}>
            {count(job.failed24h)}
          </span>,
        ],
        ["Last runs", <RunStrip key="strip" runs={job.lastRuns} />],
      ]}
    />
  );
}

function Integrations({ job }: { job: JobInfo }) {
  return (
    <span className="flex flex-wrap gap-1.5">
      {job.integrations.map(({ key, name, authSource }) => (
        <Tag key={key}>
          {authSource === "HOSTED" ? (
            <Link to="/integrations" className="text-accent underline">
              {name}
            </Link>
          ) : (
            name
          )}
        </Tag>
      ))}
    </span>
  );
}

function NoRuns({ job }: { job: JobInfo }) {
  const why = job.enabled
    ? `It runs on ${job.trigger.title}, which has not happened yet. The Test tab runs it now.`
    : "It is disabled in its code (enabled: false), so its trigger starts nothing.";
  const command = job.endpoint ? `npx holdfast endpoints send ${job.endpoint} --sample <name>` : undefined;
  return <Empty title="This job has not run yet" why={why} {...(command ? { command } : {})} />;
}
