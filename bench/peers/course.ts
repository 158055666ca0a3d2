// Bench of peers: one peer under work. Submits jobs, hears what the app tells, waits until the peer's own record has everything, and checks the result.
// The workloads are written on top of it.
import { setTimeout as pause } from "node:timers/promises";
import { sharedClock } from "../statistics.ts";
import type { Job, Peer, StepsBy, Told } from "./peer.ts";
import { complaints, ownJobsOf } from "./verify.ts";

const PATIENCE_MS = 60_000;

type Work = { kind: "noop" } | { kind: "steps"; steps: number } | { kind: "sleep"; due: number };

export class Course {
  readonly #told = new Map<string, Told>();
  readonly asleep = new Set<string>();
  #made = 0;
  /** Jobs of the peer's own that must have completed. */
  #expected = 0;

  constructor(
    readonly peer: Peer,
    readonly steps: StepsBy,
  ) {
    peer.onTold((told) => {
      if (told.job === "asleep") this.asleep.add(told.id);
      else if (!this.#told.has(told.id)) this.#told.set(told.id, told);
    });
  }

  make(work: Work, count: number): Job[] {
    const jobs = Array.from({ length: count }, () => ({ ...work, id: `job-${++this.#made}` }));
    this.#expected += jobs.reduce((sum, job) => sum + ownJobsOf(job, this.steps), 0);
    return jobs;
  }

  /** Submits by so many submitters, each waiting for its answer before its next. `prepare` sees each job right before. */
  async submit(jobs: readonly Job[], submitters: number, prepare: (job: Job) => void = () => {}): Promise<void> {
    const queue = [...jobs].reverse();
    const submitter = async () => {
      for (let job = queue.pop(); job; job = queue.pop()) {
        prepare(job);
        await this.peer.submit(job);
      }
    };
    await Promise.all(Array.from({ length: submitters }, submitter));
  }

  /**
   * Waits until the app has told of every job and the peer's record has none left, checks, and answers what was told.
   *
   * @param within milliseconds
   * @throws when anything is missing, early or miscounted
   */
  async settled(jobs: readonly Job[], within = PATIENCE_MS): Promise<Told[]> {
    const deadline = sharedClock() + within;
    const waiting = new Set(jobs.map(({ id }) => id));
    for (; waiting.size > 0 && sharedClock() < deadline; await pause(1))
      for (const id of waiting) if (this.#told.has(id)) waiting.delete(id);
    let open = await this.peer.open();
    for (; open !== 0 && sharedClock() < deadline; open = await this.peer.open()) await pause(1);
    return this.#checked(jobs, open);
  }

  /** After a failure: what the record has now is what it has, so that the next workload is judged by its own jobs. */
  async takeStock(): Promise<void> {
    const deadline = sharedClock() + PATIENCE_MS / 6;
    while ((await this.peer.open()) !== 0 && sharedClock() < deadline) await pause(5);
    this.#expected = (await this.peer.completed()) ?? 0;
  }

  async #checked(jobs: readonly Job[], open: number): Promise<Told[]> {
    const seen = { told: this.#told, open, completed: await this.peer.completed(), expectedCompleted: this.#expected };
    const found = complaints(jobs, this.steps, seen);
    if (found.length > 0) throw new Error(found.join("; "));
    return jobs.flatMap(({ id }) => this.#told.get(id) ?? []);
  }
}
