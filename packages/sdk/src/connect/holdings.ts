// Room: connect. The executions this process holds, whichever connection carries them, with what the server has not answered yet. One for each
// `client.connect()`. Promises: an execution goes on while its connection is gone, for KEEP_MS; what was answered is never sent again, what was not is sent
// again over the next connection; one the server calls stale stops.
import type { ExecutionStart, ServerFrame, TaskReport } from "@holdfast/protocol";
import { type App, unknownJob } from "../client/app.ts";
import type { Performance } from "../jobs/perform.ts";
import type { ExecutionEnd } from "../replay/execution.ts";
import type { Session } from "./session.ts";
import type { Parcel } from "./window.ts";

/** An execution nobody carries any more is given up after this: by then its lease is over twice, and the server has most likely given it to somebody else. */
const KEEP_MS = 30_000;
/** What broke so many connections in a row is not sent again: it may be what breaks them. */
const MOST_SENT = 4;

interface Report {
  parcel: Parcel;
  resolve: (answer: "recorded" | "stale") => void;
}

interface Held {
  readonly token: string;
  /** Null for a job this app does not have: it has only an end. */
  readonly performance: Performance | null;
  /** The connection it is on; undefined while there is none. */
  session: Session | undefined;
  /** Not answered yet. */
  readonly reports: Map<number, Report>;
  end: Parcel | undefined;
}

export class Holdings {
  readonly #app: App;
  readonly #background: boolean;
  readonly #held = new Map<string, Held>();
  readonly #timers = new Set<() => void>();
  #reports = 0;

  constructor(app: App, background: boolean) {
    this.#app = app;
    this.#background = background;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Executions that another connection carries, or none. */
  notOn(session: Session): string[] {
    return [...this.#held.values()].filter((held) => held.session !== session).map(({ token }) => token);
  }

  isOn(session: Session): boolean {
    for (const held of this.#held.values()) if (held.session === session) return true;
    return false;
  }

  begin(start: ExecutionStart, session: Session): void {
    const { token } = start;
    if (this.#held.has(token)) return;
    const report = (items: TaskReport[]) =>
      new Promise<"recorded" | "stale">((resolve) => this.#report({ token, items, resolve }));
    const performance = this.#app.execute(start, { report }) ?? null;
    this.#held.set(token, { token, performance, session, reports: new Map(), end: undefined });
    if (performance) void performance.ended.then((end) => this.#finished(token, end));
    else this.#finished(token, { kind: "ended", items: [], outcome: unknownJob(start) });
  }

  #report({ token, items, resolve }: { token: string; items: TaskReport[] } & Pick<Report, "resolve">): void {
    const held = this.#held.get(token);
    if (!held) return;
    const n = ++this.#reports;
    const parcel: Parcel = { x: token, n, items, since: this.#app.runtime.elapsed(), sent: 0 };
    held.reports.set(n, { parcel, resolve });
    held.session?.post(parcel);
  }

  #finished(token: string, end: ExecutionEnd): void {
    const held = this.#held.get(token);
    if (!held) return;
    if (end.kind === "ended") {
      const { items, outcome } = end;
      held.end = { x: token, n: 0, items, outcome, since: this.#app.runtime.elapsed(), sent: 0 };
      held.session?.post(held.end);
    } else this.#forget(held);
  }

  /** A report is on disk. */
  acknowledged(x: string, n: number): void {
    const held = this.#held.get(x);
    const report = held?.reports.get(n);
    if (!held || !report) return;
    held.reports.delete(n);
    held.session?.settled(report.parcel);
    report.resolve("recorded");
  }

  /** The end is on disk. */
  ended(x: string): void {
    const held = this.#held.get(x);
    if (held?.end) this.#forget(held);
  }

  /** Only the connection that carries an execution can say that it is over: one it has left may not know where it went. */
  stale(x: string, session: Session): void {
    const held = this.#held.get(x);
    if (held?.session === session) this.#supersede(held);
  }

  /** The server's answer to what it was told this process holds. */
  resumed({ held, stale }: Extract<ServerFrame, { t: "resumed" }>, session: Session): void {
    for (const token of stale) {
      const one = this.#held.get(token);
      if (one && one.session !== session) this.#supersede(one);
    }
    const over: string[] = [];
    const left = new Map<Session, string[]>();
    for (const token of held) {
      const one = this.#held.get(token);
      if (!one || tooOften(one)) over.push(token);
      if (one && tooOften(one)) this.#giveUp(one, "its reports broke one connection after the other");
      else if (one) {
        if (one.session) left.set(one.session, [...(left.get(one.session) ?? []), token]);
        this.#carry(one, session);
      }
    }
    if (over.length > 0) session.send({ t: "moved", xs: over });
    for (const [former, tokens] of left) {
      former.send({ t: "moved", xs: tokens });
      former.released();
    }
  }

  #carry(held: Held, session: Session): void {
    held.session = session;
    for (const { parcel } of held.reports.values()) session.post(parcel);
    if (held.end) session.post(held.end);
  }

  /** The connection is gone. What ran on it goes on, and waits for another one. */
  lost(session: Session): void {
    const adrift = [...this.#held.values()].filter((held) => held.session === session);
    if (adrift.length === 0) return;
    for (const held of adrift) held.session = undefined;
    const timer = (): void => {
      cancel();
      this.#timers.delete(cancel);
      for (const held of adrift) if (!held.session) this.#giveUp(held, "there was no connection to the server for too long");
    };
    const cancel = this.#app.runtime.after(KEEP_MS, timer, this.#background);
    this.#timers.add(cancel);
  }

  /** Ends all of them here: the app is leaving. */
  abandon(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const held of [...this.#held.values()]) this.#giveUp(held, "the app is leaving");
  }

  #giveUp(held: Held, reason: string): void {
    if (this.#held.get(held.token) !== held) return;
    this.#forget(held);
    held.performance?.abandon(reason);
  }

  #supersede(held: Held): void {
    this.#forget(held);
    held.performance?.supersede();
  }

  #forget(held: Held): void {
    const { session, reports, end, token } = held;
    this.#held.delete(token);
    for (const { parcel } of reports.values()) session?.settled(parcel);
    if (end) session?.settled(end);
    session?.released();
  }
}

function tooOften({ reports, end }: Held): boolean {
  if (end && end.sent >= MOST_SENT) return true;
  for (const { parcel } of reports.values()) if (parcel.sent >= MOST_SENT) return true;
  return false;
}
