// Room: views. What happened lately: per job, per endpoint, per hour, and what is due now. Called by http only; reads, never writes.
import { idFloor, type JobInfo, type Overview, type RunStatus } from "@holdfast/protocol";
import type { EnvironmentRow } from "../store/store.ts";
import { type Big, iso, isoOrNull, type Reader } from "./reader.ts";
import { errorOf, FAILED_STATUSES } from "./runs.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const RUNS_A_JOB = 20;
const MOST_FAILING = 10;

export interface JobActivity {
  lastRuns: JobInfo["lastRuns"];
  runs24h: number;
  failed24h: number;
}
export interface EndpointActivity {
  lastDeliveryAt: string | null;
  accepted24h: number;
  refused24h: number;
}
export interface WorkDue {
  kind: string;
  due: number;
  /** Milliseconds the longest-waiting row has been due. */
  oldestMs: number;
}

interface CountColumns {
  job_id: string;
  job_name: string;
  runs: Big;
  failed: Big;
  last_failed: string | null;
}

/** Counts over a day cost what the day held; dashboards ask again with every change, so an answer this young is given again. */
const COUNTS_FRESH_MS = 1_000;

export class ActivityViews {
  readonly #recent = new Map<string, { at: number; rows: Promise<unknown> }>();

  constructor(private readonly reader: Reader) {}

  /** One reading at a time of each thing, shared by everyone who asks meanwhile and a little after. */
  #shared<T>(key: string, now: number, read: () => Promise<T>): Promise<T> {
    const recent = this.#recent.get(key);
    if (recent && Math.abs(now - recent.at) < COUNTS_FRESH_MS) return recent.rows as Promise<T>;
    const rows = read();
    this.#recent.set(key, { at: now, rows });
    rows.catch(() => this.#recent.delete(key));
    return rows;
  }

  /** The last runs and the counts of 24 hours of each job given. */
  async jobs(environment: EnvironmentRow, jobs: string[], now: number): Promise<Map<string, JobActivity>> {
    if (jobs.length === 0) return new Map();
    const [last, counts] = await Promise.all([
      this.reader.rows<{ id: string; job_id: string; status: RunStatus; created_at: Big }>("job-last-runs", [
        environment.id,
        jobs,
        RUNS_A_JOB,
      ]),
      this.#counts(environment, now, now - DAY),
    ]);
    const lastOf = groupByJob(last);
    return new Map(
      jobs.map((job) => [
        job,
        activityOf(
          lastOf.get(job) ?? [],
          counts.find(({ job_id }) => job_id === job),
        ),
      ]),
    );
  }

  /** What the endpoints with these row ids received. */
  async endpoints(ids: string[], now: number): Promise<Map<string, EndpointActivity>> {
    if (ids.length === 0) return new Map();
    const rows = await this.reader.rows<{ endpoint_id: string; last_at: Big | null; accepted: Big | null; refused: Big | null }>(
      "endpoint-stats",
      [ids, `dlv_${idFloor(now - DAY)}`],
    );
    return new Map(
      rows.map((row) => [
        row.endpoint_id,
        { lastDeliveryAt: isoOrNull(row.last_at), accepted24h: Number(row.accepted ?? 0), refused24h: Number(row.refused ?? 0) },
      ]),
    );
  }

  /** The home screen. @param queues ids of the environment's apps */
  async overview(environment: EnvironmentRow, queues: string[], now: number): Promise<Overview> {
    const first = Math.floor(now / HOUR) * HOUR - 23 * HOUR;
    const [hours, counts, due] = await Promise.all([
      this.#shared(`hours ${environment.id}`, now, () =>
        this.reader.rows<{ hour: Big; status: RunStatus; runs: Big }>("run-hours", [environment.id, `run_${idFloor(first)}`]),
      ),
      this.#counts(environment, now, first),
      this.workDue(queues, now),
    ]);
    const runs = due.find(({ kind }) => kind === "run");
    return {
      hours: Array.from({ length: 24 }, (_, i) => hourOf(first + i * HOUR, hours)),
      failingJobs: await this.#failing(environment, counts),
      queueDepth: runs?.due ?? 0,
      oldestQueuedMs: runs?.oldestMs ?? null,
    };
  }

  async workDue(queues: string[], now: number): Promise<WorkDue[]> {
    const rows = await this.reader.rows<{ kind: string; due: Big; oldest: Big }>("work-due", [queues, now]);
    return rows.map(({ kind, due, oldest }) => ({ kind, due: Number(due), oldestMs: Math.max(0, now - Number(oldest)) }));
  }

  #counts(environment: EnvironmentRow, now: number, since: number): Promise<CountColumns[]> {
    const span = since % HOUR === 0 ? "hours" : "day";
    const values = [environment.id, `run_${idFloor(since)}`, FAILED_STATUSES];
    return this.#shared(`${span} by job ${environment.id}`, now, () => this.reader.rows<CountColumns>("job-counts", values));
  }

  async #failing(environment: EnvironmentRow, counts: CountColumns[]): Promise<Overview["failingJobs"]> {
    const failing = counts.filter(({ failed }) => Number(failed) > 0).sort((a, b) => Number(b.failed) - Number(a.failed));
    const shown = failing.slice(0, MOST_FAILING);
    const ids = shown.map(({ last_failed }) => last_failed);
    const ends = await this.reader.rows<{ id: string; outcome_text: string | null; finished_at: Big | null; updated_at: Big }>(
      "runs-by-id",
      [environment.id, ids],
    );
    return shown.map((row) => {
      const end = ends.find(({ id }) => id === row.last_failed);
      const error = errorOf(end?.outcome_text ?? null)?.message.split("\n")[0] ?? null;
      const lastFailure = { runId: row.last_failed ?? "", error, at: iso(end?.finished_at ?? end?.updated_at ?? 0) };
      return { job: row.job_id, jobName: row.job_name, runs: Number(row.runs), failed: Number(row.failed), lastFailure };
    });
  }
}

function groupByJob<T extends { job_id: string }>(rows: T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(row.job_id, [...(groups.get(row.job_id) ?? []), row]);
  return groups;
}

function activityOf(last: { id: string; status: RunStatus; created_at: Big }[], count: CountColumns | undefined): JobActivity {
  const lastRuns = last.map(({ id, status, created_at }) => ({ id, status, createdAt: iso(created_at) }));
  return { lastRuns, runs24h: Number(count?.runs ?? 0), failed24h: Number(count?.failed ?? 0) };
}

function hourOf(start: number, rows: { hour: Big; status: RunStatus; runs: Big }[]): Overview["hours"][number] {
  const own = rows.filter(({ hour }) => Number(hour) * HOUR === start);
  return { start: iso(start), runs: Object.fromEntries(own.map(({ status, runs }) => [status, Number(runs)])) };
}
