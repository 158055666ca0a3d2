// Room runs: /runs. Every run of the environment, with filters that live in the URL.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { endpointsQuery, jobsQuery } from "../api/queries.ts";
import { useNow } from "../browser/clock.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Button, Select } from "../parts/controls.tsx";
import { hourTime } from "../parts/format.ts";
import { Icon } from "../parts/Icon.tsx";
import { Empty, PageHead } from "../parts/layout.tsx";
import { INK, RUN_GROUPS } from "../parts/status.tsx";
import { apiQuery, groupsOf, isFiltered, type RunsSearch, SPANS, toggleGroup } from "./filters.ts";
import { RunList } from "./RunList.tsx";

const MINUTE = 60_000;

export function RunsPage() {
  const search = useSearch({ from: "/runs" });
  const minute = Math.floor(useNow() / MINUTE) * MINUTE;
  const query = useMemo(() => apiQuery(search, minute), [search, minute]);
  return (
    <div className="flex h-full min-h-0 flex-col">
      <PageHead title="Runs" />
      <Filters search={search} />
      <RunList query={query} empty={<NoRuns filtered={isFiltered(search)} />} />
    </div>
  );
}

function useChange() {
  const navigate = useNavigate({ from: "/runs" });
  return (change: { [Key in keyof RunsSearch]: string | undefined }) =>
    void navigate({ search: (now) => definedOnly({ ...now, ...change }), replace: true });
}

const definedOnly = (search: Record<string, string | undefined>): RunsSearch & { env?: string } =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== ""));

function Filters({ search }: { search: RunsSearch }) {
  const env = useEnv();
  const jobs = useQuery(jobsQuery(env)).data ?? [];
  const change = useChange();
  const from = search.after ?? search.before;
  return (
    // biome-ignore lint/a11y/useSemanticElements: filters, not a search form that is sent.
    <div role="group" aria-label="Filters" className="flex flex-wrap items-center gap-2 px-4 pb-2.5">
      <StatusToggles search={search} />
      <Select label="Job" value={search.job ?? ""} onChange={(event) => change({ job: event.target.value })}>
        <option value="">All jobs</option>
        {jobs.map((job) => (
          <option key={job.id} value={job.id}>
            {job.name}
          </option>
        ))}
        {search.job && !jobs.some((job) => job.id === search.job) && <option value={search.job}>{search.job}</option>}
      </Select>
      <Select
        label="Time"
        value={search.since ?? ""}
        onChange={(event) => change({ since: event.target.value, after: undefined, before: undefined })}
      >
        <option value="">Any time</option>
        {SPANS.map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </Select>
      {from && (
        <Button icon="cross" onClick={() => change({ after: undefined, before: undefined })}>
          {search.after ? hourTime(search.after) : "start"} – {search.before ? hourTime(search.before) : "now"}
        </Button>
      )}
      <input
        type="search"
        aria-label="Search runs"
        placeholder="Id, job or event…"
        className="field w-40"
        defaultValue={search.q ?? ""}
        key={search.q === undefined ? "none" : "some"}
        onKeyDown={(event) => event.key === "Enter" && change({ q: event.currentTarget.value.trim() })}
        onBlur={(event) =>
          event.currentTarget.value.trim() !== (search.q ?? "") && change({ q: event.currentTarget.value.trim() })
        }
      />
      {isFiltered(search) && <ClearFilters />}
    </div>
  );
}

function ClearFilters() {
  const change = useChange();
  const none = { status: undefined, job: undefined, since: undefined, after: undefined, before: undefined, q: undefined };
  return (
    <Button kind="quiet" onClick={() => change(none)}>
      Clear filters
    </Button>
  );
}

function StatusToggles({ search }: { search: RunsSearch }) {
  const change = useChange();
  const on = groupsOf(search.status);
  return (
    <div className="flex flex-wrap overflow-hidden rounded-md border border-line-strong">
      {Object.entries(RUN_GROUPS).map(([group, { look }]) => (
        <button
          key={group}
          type="button"
          aria-pressed={on.includes(group)}
          onClick={() => change({ status: toggleGroup(search.status, group) })}
          className={`inline-flex h-6.5 items-center gap-1.5 border-line px-2 text-xs not-last:border-r ${on.includes(group) ? "bg-selected font-semibold text-ink" : "text-soft hover:bg-hover"}`}
        >
          <Icon name={look.icon} size={12} className={INK[look.tone]} />
          {look.word}
        </button>
      ))}
    </div>
  );
}

function NoRuns({ filtered }: { filtered: boolean }) {
  const env = useEnv();
  const endpoint = useQuery(endpointsQuery(env)).data?.[0];
  if (filtered)
    return <Empty title="No run matches these filters" why="There may be runs outside them." action={<ClearFilters />} />;
  const command = endpoint
    ? `npx holdfast endpoints send ${endpoint.id} --sample ${endpoint.samples[0]?.name ?? "default"}`
    : "npx holdfast send user.created --payload '{}'";
  return (
    <Empty
      title="No runs yet"
      why="A run starts when a request or an event matches a job's trigger. Make one:"
      command={command}
    />
  );
}
