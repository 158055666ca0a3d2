// Room: push. The report stream, our side: one WebSocket of this process over which the reports of all its pushed executions travel while any is under way
// (protocol/report-stream.ts). Used by execute.ts. Promises: it only ever saves requests: nothing waits for it to open, and a report it cannot
// get an answer to, whatever the reason, comes back "unanswered" and is posted; where it does not work it is left alone for a while.
import { REPORT_STREAM_PATH, type StreamedVerdict, type TaskReport } from "@holdfast/protocol";
import { type Credentials, requireKey } from "../client/credentials.ts";
import { type Parcel, Window } from "../connect/window.ts";
import { weight } from "../replay/outbox.ts";
import type { Runtime, Socket } from "../runtime/runtime.ts";

/** How long the server may take to answer a hello or a report, in milliseconds. */
const ANSWER_MS = 10_000;
/** Characters of a report that is better posted: small ones do not wait behind it, and it may take its time. */
const LARGE = 256 * 1024;
/** Pauses before it is opened again: after the first failure, and at most, as for a server or a proxy that does not know it. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 600_000;

type Verdict = "recorded" | "stale" | "unanswered";

interface Pending {
  parcel: Parcel;
  resolve(verdict: Verdict): void;
}

interface Line {
  readonly socket: Socket;
  readonly window: Window;
  /** Whose it is: another server or another key have another one. */
  readonly to: string;
  /** Frames get through in both directions. */
  isReady: boolean;
}

export class ReportStream {
  readonly #runtime: Runtime;
  readonly #trace: (message: string) => void;
  readonly #pending = new Map<number, Pending>();
  #line: Line | undefined;
  #executions = 0;
  #reports = 0;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #cancelWatch: (() => void) | undefined;

  /** @param trace tells those who asked for it what becomes of the stream */
  constructor(runtime: Runtime, trace: (message: string) => void = () => {}) {
    this.#runtime = runtime;
    this.#trace = trace;
  }

  /** An execution begins; the answer is called when it has ended. The last one closes the stream: a process that is frozen in between keeps nothing open. */
  enter(): () => void {
    this.#executions += 1;
    return () => {
      this.#executions -= 1;
      if (this.#executions === 0) this.#hangUp();
    };
  }

  /** Opens it, unless it is open or did not work lately. Returns at once; until it stands, `takes` says no. */
  open(credentials: Credentials): void {
    if (this.#line || this.#executions === 0 || this.#runtime.elapsed() < this.#notBefore) return;
    const headers = { authorization: `Bearer ${requireKey(credentials)}` };
    try {
      const url = credentials.apiUrl.replace(/^http/, "ws") + REPORT_STREAM_PATH;
      const socket = this.#runtime.dial(
        url,
        headers,
        this.#events(() => socket),
        true,
      );
      this.#line = { socket, window: this.#windowOf(socket), to: nameOf(credentials), isReady: false };
      this.#watch();
    } catch (error) {
      // A runtime without sockets of this kind.
      this.#distrust(error instanceof Error ? error.message : String(error), LONGEST_PAUSE_MS);
    }
  }

  /** Whether these reports may travel over it now. */
  takes(items: readonly TaskReport[], credentials: Credentials): boolean {
    return (
      this.#line?.isReady === true &&
      this.#line.to === nameOf(credentials) &&
      items.reduce((sum, item) => sum + weight(item), 0) < LARGE
    );
  }

  /** @param token the execution's */
  report(token: string, items: TaskReport[]): Promise<Verdict> {
    const { window } = this.#line ?? {};
    if (!window) return Promise.resolve("unanswered");
    return new Promise((resolve) => {
      const n = ++this.#reports;
      const parcel: Parcel = { x: token, n, items, since: this.#runtime.elapsed(), sent: 0 };
      this.#pending.set(n, { parcel, resolve });
      window.post(parcel);
      this.#watch();
    });
  }

  #windowOf(socket: Socket): Window {
    return new Window(
      (text) => socket.send(text),
      () => this.#runtime.elapsed(),
    );
  }

  #events(own: () => Socket) {
    const ifOwn = (act: (line: Line) => void): void => {
      if (this.#line && this.#line.socket === own()) act(this.#line);
    };
    return {
      opened: () => ifOwn(({ socket }) => socket.send(JSON.stringify({ t: "hello" }))),
      message: (text: string) => ifOwn((line) => this.#heard(text, line)),
      closed: (reason: string, refusal?: { status: number }) =>
        ifOwn(() => this.#fail(reason, refusal && refusal.status < 500 ? LONGEST_PAUSE_MS : 0)),
    };
  }

  #heard(text: string, line: Line): void {
    const verdict = read(text);
    if (!verdict) this.#fail("the server said something that is no verdict", LONGEST_PAUSE_MS);
    else if (verdict.t === "ready") this.#ready(line);
    else this.#answered(verdict.n, VERDICTS[verdict.t], line);
  }

  #ready(line: Line): void {
    line.isReady = true;
    this.#trace("reports travel over a stream");
  }

  #answered(n: number, verdict: Verdict, { window }: Line): void {
    const pending = this.#pending.get(n);
    if (!pending) return;
    this.#pending.delete(n);
    window.settled(pending.parcel);
    this.#failures = 0;
    pending.resolve(verdict);
  }

  /** One timer, however many reports: looks whether the oldest answer is overdue, and again while any is awaited. */
  #watch(): void {
    if (this.#cancelWatch || !this.#line) return;
    const [oldest] = this.#pending.values();
    if (!oldest && this.#line.isReady) return;
    const now = this.#runtime.elapsed();
    const dueIn = oldest ? Math.max(0, oldest.parcel.since + ANSWER_MS - now) : ANSWER_MS;
    const { socket } = this.#line;
    this.#cancelWatch = this.#runtime.after(dueIn, () => this.#look(oldest, socket), true);
  }

  #look(awaited: Pending | undefined, socket: Socket): void {
    this.#cancelWatch = undefined;
    if (this.#line?.socket !== socket) return;
    const isOverdue = awaited ? this.#pending.get(awaited.parcel.n) === awaited : !this.#line.isReady;
    if (!isOverdue) this.#watch();
    // Never ready: something in between holds frames back, and will the next time.
    else this.#fail(`no answer within ${ANSWER_MS / 1000} s`, awaited ? 0 : LONGEST_PAUSE_MS);
  }

  /** @param atLeastMs it is not opened again for so long */
  #fail(why: string, atLeastMs: number): void {
    this.#distrust(why, atLeastMs);
    this.#hangUp();
  }

  #distrust(why: string, atLeastMs: number): void {
    const pause = Math.min(LONGEST_PAUSE_MS, Math.max(atLeastMs, FIRST_PAUSE_MS * 2 ** this.#failures));
    this.#trace(`reports are posted for the next ${pause / 1000} s: ${why}`);
    this.#failures += 1;
    this.#notBefore = this.#runtime.elapsed() + pause;
  }

  #hangUp(): void {
    const line = this.#line;
    this.#line = undefined;
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
    line?.socket.close();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { resolve } of pending) resolve("unanswered");
  }
}

const VERDICTS = { ack: "recorded", stale: "stale", again: "unanswered" } as const;

function nameOf({ apiUrl, apiKey }: Credentials): string {
  return `${apiKey} ${apiUrl}`;
}

function read(text: string): StreamedVerdict | undefined {
  try {
    const verdict = JSON.parse(text) as StreamedVerdict;
    return verdict.t === "ready" || verdict.t in VERDICTS ? verdict : undefined;
  } catch {
    return undefined;
  }
}
