// Room: commands. `holdfast runs tail`, and the run lines of `holdfast dev`: new runs and their changes of status, as they happen.
// Promise: each run once per status it was seen in, oldest first; it asks once a second, and only for runs that may have changed.
import { idTime, isFinalRunStatus, type Page, type RunSummary } from "@holdfast/protocol";
import type { Api } from "../api/api.ts";
import { CommandError } from "../output/exit-codes.ts";
import type { Output } from "../output/output.ts";
import { between, oneLine } from "../output/table.ts";
import { type CliWorld, pause } from "../platform/world.ts";
import { apiOf, type Context } from "./context.ts";
import { type RunFilterFlags, runRow, toStatuses } from "./runs.ts";

const ASK_EVERY_MS = 1_000;
const PAGE = 50;
const MOST_OPEN = 200;
/** A run may be stored this long after one with a later id: by another batch, or by a server whose clock is behind. */
const LATE_MS = 10_000;
/** How long a server may be away: a restart takes seconds. */
const PATIENCE_MS = 30_000;
/** What a server says, or a proxy before it, while it is restarted. */
const MAY_PASS: ReadonlySet<string> = new Set([
  "SERVER_UNREACHABLE",
  "TIMEOUT",
  "OVERLOADED",
  "DATABASE_UNREACHABLE",
  "APP_UNREACHABLE",
  "INTERNAL",
]);

/** Prints until Ctrl-C, then ends well. */
export async function tailRuns(context: Context, flags: RunFilterFlags): Promise<number> {
  const wanted = toStatuses(flags.status);
  const api = apiOf(context, flags);
  const stop = new AbortController();
  const quiet = [context.world.onSignal("SIGINT", () => stop.abort()), context.world.onSignal("SIGTERM", () => stop.abort())];
  context.output.note("Waiting for runs; Ctrl-C ends this.");
  const show = (run: RunSummary) => {
    if (!wanted || wanted.includes(run.status)) context.output.event(runRow(run), runLine(run, context.output));
  };
  try {
    const away = () => context.output.note(`The server does not answer; it is asked again for ${PATIENCE_MS / 1000} seconds.`);
    await followRuns(context.world, api, { query: { job: flags.job }, show, away, signal: stop.signal });
  } finally {
    for (const each of quiet) each();
  }
  return 0;
}

interface Following {
  query: { job?: string | undefined };
  show(run: RunSummary): void;
  /** The server has stopped answering. */
  away?: () => void;
  signal: AbortSignal;
}

/**
 * Shows every run created from now on, once per change of status, until the signal. A server that goes away, as for a restart, is waited for.
 *
 * @throws CommandError when the server cannot be asked at the start, or for longer than PATIENCE_MS
 */
export async function followRuns(world: Pick<CliWorld, "after" | "now">, api: Api, following: Following): Promise<void> {
  const path = api.inEnvironment("runs");
  const first = await api.get<Page<RunSummary>>(path, { ...following.query, limit: 1 });
  let known = new Map<string, RunSummary["status"]>();
  let floor = first.items[0]?.id ?? "";
  while (!following.signal.aborted) {
    await pause(world, ASK_EVERY_MS, following.signal);
    if (following.signal.aborted) return;
    const news = await patiently(world, following, () => runsAfter(api, following.query, floor));
    for (const run of news) if (known.get(run.id) !== run.status) following.show(run);
    // What is not asked for any more is forgotten, or a tail of days would remember every run.
    known = new Map(news.map(({ id, status }) => [id, status]));
    floor = aboveFinished(news, floor);
  }
}

/** Asks until it is answered; nothing is missed meanwhile, as what is asked for is all that came since. Nothing once the signal is given. */
async function patiently<T>(world: Pick<CliWorld, "after" | "now">, { away, signal }: Following, ask: () => Promise<T[]>) {
  for (let failedAt: number | null = null; ; ) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted) return [];
      if (!(error instanceof CommandError && MAY_PASS.has(error.code))) throw error;
      if (failedAt === null) away?.();
      failedAt ??= world.now();
      if (world.now() - failedAt >= PATIENCE_MS) throw error;
      await pause(world, ASK_EVERY_MS, signal);
      if (signal.aborted) return [];
    }
  }
}

/** Runs whose id is above the floor, oldest first, the newest 200 at most. Ids sort by time. */
async function runsAfter(api: Api, query: Following["query"], floor: string): Promise<RunSummary[]> {
  const found: RunSummary[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<RunSummary> = await api.get(api.inEnvironment("runs"), { ...query, limit: PAGE, cursor });
    found.push(...page.items.filter((run) => run.id > floor));
    cursor = page.items.every((run) => run.id > floor) ? page.nextCursor : undefined;
  } while (cursor && found.length < MOST_OPEN);
  return found.reverse();
}

/** The floor rises over the oldest runs that are done, so that a long tail asks for no more than what is open; and over none of the last seconds. */
function aboveFinished(news: RunSummary[], floor: string): string {
  const newest = idTime(news.at(-1)?.id ?? "");
  let risen = floor;
  for (const run of news) {
    if (!isFinalRunStatus(run.status) || idTime(run.id) > newest - LATE_MS) break;
    risen = run.id;
  }
  return risen;
}

export function runLine(run: RunSummary, output: Output): string {
  const time = (run.completedAt ?? run.startedAt ?? run.createdAt).slice(11, 19);
  const style = run.status === "SUCCESS" ? "green" : run.status === "FAILURE" ? "red" : "dim";
  const end = run.error ? oneLine(run.error) : run.completedAt ? between(run.startedAt, run.completedAt) : "";
  return `  ${output.paint("dim", time)}  ${run.id}  ${run.job}  ${output.paint(style, run.status)}  ${end}`.trimEnd();
}
