// Room jobs: /jobs. Every job of the environment, with its trigger and how its last runs went.
import type { JobInfo } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { jobsQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { When } from "../parts/controls.tsx";
import { count } from "../parts/format.ts";
import { Async, Empty, PageHead } from "../parts/layout.tsx";
import { RUN_LOOK, RunStrip, Status, Tag } from "../parts/status.tsx";

const SNIPPET = `client.defineJob({
  id: "welcome", name: "Welcome", version: "1.0.0",
  trigger: eventTrigger({ name: "user.created" }),
  run: async (payload, io) => { await io.logger.info("Hello", payload); },
});`;

export function JobsPage() {
  const jobs = useQuery(jobsQuery(useEnv()));
  return (
    <>
      <PageHead title="Jobs" />
      <Async query={jobs} what="jobs">
        {(all) =>
          all.length === 0 ? (
            <Empty title="No jobs yet" why="Jobs live in your app, and appear here once it connects." command={SNIPPET} />
          ) : (
            <JobTable jobs={all} />
          )
        }
      </Async>
    </>
  );
}

const matches = (job: JobInfo, text: string): boolean =>
  [job.id, job.name, job.trigger.title].some((each) => each.toLowerCase().includes(text.toLowerCase()));

function JobTable({ jobs }: { jobs: readonly JobInfo[] }) {
  const [text, setText] = useState("");
  const shown = jobs.filter((job) => matches(job, text));
  return (
    <div className="px-4 pb-6">
      <input
        type="search"
        aria-label="Search jobs"
        placeholder="Name, id or trigger…"
        className="field mb-3 w-60 max-w-full"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="card overflow-x-auto">
        <table className="w-full border-collapse text-left">
          <thead>
            <tr className="caps border-b border-line [&>th]:px-3 [&>th]:py-2 [&>th]:font-semibold [&>th]:whitespace-nowrap">
              <th>Job</th>
              <th className="max-sm:hidden">Trigger</th>
              <th>Last runs</th>
              <th className="max-sm:hidden">Last run</th>
              <th className="text-right max-md:hidden">Runs, 24 h</th>
              <th className="text-right max-md:hidden">Failed</th>
              <th className="max-md:hidden">Version</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((job) => (
              <JobRow key={job.id} job={job} />
            ))}
          </tbody>
        </table>
        {shown.length === 0 && (
          <p className="p-4 text-soft">
            No job is called “{text}”; {count(jobs.length)} are hidden.
          </p>
        )}
      </div>
    </div>
  );
}

function JobRow({ job }: { job: JobInfo }) {
  const last = job.lastRuns[0];
  return (
    <tr className="border-b border-line last:border-0 hover:bg-hover [&>td]:px-3 [&>td]:py-2">
      <td>
        <Link to="/jobs/$id" params={{ id: job.id }} className="font-medium hover:underline">
          {job.name}
        </Link>
        {!job.enabled && (
          <span className="ml-2">
            <Tag tone="wait">disabled</Tag>
          </span>
        )}
        <span className="mono block text-xs text-faint">{job.id}</span>
      </td>
      <td className="max-sm:hidden">
        <span className="text-soft">{job.trigger.title}</span>
        <span className="block text-xs text-faint">{job.trigger.type}</span>
      </td>
      <td>
        <RunStrip runs={job.lastRuns} />
      </td>
      <td className="max-sm:hidden">
        {last ? (
          <Link to="/runs/$id" params={{ id: last.id }} className="hover:underline">
            <Status look={RUN_LOOK[last.status]} />{" "}
            <span className="text-xs text-faint">
              <When at={last.createdAt} />
            </span>
          </Link>
        ) : (
          <span className="text-faint">never</span>
        )}
      </td>
      <td className="text-right max-md:hidden">{count(job.runs24h)}</td>
      <td className={`text-right max-md:hidden ${job.failed24h > 0 ? "font-medium text-bad" : "text-faint"}`}>
        {count(job.failed24h)}
      </td>
      <td className="text-soft max-md:hidden">{job.version}</td>
    </tr>
  );
}
