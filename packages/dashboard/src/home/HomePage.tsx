// Room home: /. How the environment is doing, at a glance; while no app is connected, the first steps instead.
import type { AppInfo, Overview } from "@holdfast/protocol";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { appsQuery, deliveriesQuery, overviewQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { When } from "../parts/controls.tsx";
import { count, duration, plural } from "../parts/format.ts";
import { Async, PageHead, Section } from "../parts/layout.tsx";
import { Status, VERDICT_LOOK } from "../parts/status.tsx";
import { Activity } from "./Activity.tsx";
import { FirstSteps } from "./FirstSteps.tsx";
import { totals } from "./totals.ts";

export function HomePage() {
  const env = useEnv();
  const apps = useQuery(appsQuery(env));
  const overview = useQuery(overviewQuery(env));
  return (
    <>
      <PageHead title="Home" />
      <Async query={apps} what="apps">
        {(all) => (
          <div className="flex flex-col gap-6 px-4 pb-8">
            {all.length === 0 && <FirstSteps />}
            <Async query={overview} what="overview">
              {(data) => (all.length === 0 && totals(data.hours).all === 0 ? null : <Health apps={all} overview={data} />)}
            </Async>
          </div>
        )}
      </Async>
    </>
  );
}

function Health({ apps, overview }: { apps: readonly AppInfo[]; overview: Overview }) {
  return (
    <>
      <Strip apps={apps} overview={overview} />
      <Activity hours={overview.hours} />
      <div className="grid gap-6 lg:grid-cols-2">
        <Failing jobs={overview.failingJobs} />
        <Recent />
      </div>
    </>
  );
}

function appsNote(all: number, down: number): string {
  if (all === 0) return "none connected yet";
  return down > 0 ? `${plural(down, "app")} unreachable` : "all answer";
}

function Strip({ apps, overview }: { apps: readonly AppInfo[]; overview: Overview }) {
  const sums = totals(overview.hours);
  const down = apps.filter((app) => !app.reachable).length;
  const rate = sums.all === 0 ? "–" : `${((100 * sums.bad) / sums.all).toFixed(1)} %`;
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-3 lg:grid-cols-6">
      <Stat
        label="Apps reachable"
        value={`${apps.length - down} of ${apps.length}`}
        alert={down > 0}
        note={appsNote(apps.length, down)}
      />
      <Stat label="Runs, 24 h" value={count(sums.all)} note={`${count(sums.ok)} completed`} />
      <Stat label="Failed, 24 h" value={count(sums.bad)} alert={sums.bad > 0} note={rate} />
      <Stat label="In progress" value={count(sums.run)} note={`${count(sums.wait)} waiting`} />
      <Stat label="Queue" value={count(overview.queueDepth)} note="due, not started" />
      <Stat
        label="Oldest due"
        value={overview.oldestQueuedMs === null ? "–" : duration(overview.oldestQueuedMs)}
        note={overview.oldestQueuedMs === null ? "nothing is due" : "waiting to start"}
      />
    </dl>
  );
}

interface StatProps {
  label: string;
  value: string;
  note: string;
  alert?: boolean;
}

function Stat({ label, value, note, alert = false }: StatProps) {
  return (
    <div className="bg-bg px-3 py-2.5">
      <dt className="caps">{label}</dt>
      <dd className={`text-xl font-semibold ${alert ? "text-bad" : ""}`}>{value}</dd>
      <dd className="text-xs text-soft">{note}</dd>
    </div>
  );
}

function Failing({ jobs }: { jobs: Overview["failingJobs"] }) {
  return (
    <Section title="Failing jobs, 24 h">
      {jobs.length === 0 ? (
        <p className="card p-3 text-soft">No job failed in the last 24 hours.</p>
      ) : (
        <ul className="card divide-y divide-line">
          {jobs.map((job) => (
            <li key={job.job} className="flex items-center gap-3 px-3 py-2">
              <div className="min-w-0 flex-1">
                <Link to="/jobs/$id" params={{ id: job.job }} className="hit font-medium hover:underline">
                  {job.jobName}
                </Link>
                <Link
                  to="/runs/$id"
                  params={{ id: job.lastFailure.runId }}
                  className="block truncate py-1 text-xs/4 text-bad hover:underline"
                >
                  {job.lastFailure.error ?? "See the run"}
                </Link>
              </div>
              <Link
                to="/runs"
                search={{ job: job.job, status: "failed,timedout", since: "24h" }}
                className="text-right text-xs text-soft hover:underline"
              >
                {count(job.failed)} of {plural(job.runs, "run")}
                <span className="block text-faint">
                  <When at={job.lastFailure.at} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

const SHOWN = 6;
const NO_FILTER = {};

function Recent() {
  const deliveries = useInfiniteQuery(deliveriesQuery(useEnv(), NO_FILTER));
  const all = (
    <Link to="/deliveries" className="text-xs text-accent hover:underline">
      All deliveries
    </Link>
  );
  return (
    <Section title="Recent deliveries" side={all}>
      <Async query={deliveries} what="deliveries">
        {(data) => {
          const rows = data.pages[0]?.items.slice(0, SHOWN) ?? [];
          if (rows.length === 0) return <p className="card p-3 text-soft">No request has been received yet.</p>;
          return (
            <ul className="card divide-y divide-line">
              {rows.map((delivery) => (
                <li key={delivery.id} className="flex items-center gap-3 px-3 py-1.5">
                  <Status look={VERDICT_LOOK[delivery.verdict]} className="w-24" />
                  <Link
                    to="/deliveries/$id"
                    params={{ id: delivery.id }}
                    className="min-w-0 flex-1 truncate font-medium hover:underline"
                  >
                    {delivery.endpoint ?? delivery.path}
                    {delivery.verdict === "refused" && (
                      <span className="ml-2 text-xs font-normal text-soft">{delivery.reason}</span>
                    )}
                  </Link>
                  <span className="text-xs text-faint">
                    <When at={delivery.receivedAt} />
                  </span>
                </li>
              ))}
            </ul>
          );
        }}
      </Async>
    </Section>
  );
}
