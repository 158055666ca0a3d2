// Room: stream. Our side of the stream (protocol/app-stream.ts): one WebSocket of this process over which reports of pushed executions and calls of the API
// travel, each answered by its number. Used by push/execute.ts and client/requests.ts. Promises: it only ever saves requests: nothing waits for it to open, what
// it cannot get an answer to, whatever the reason, comes back undefined and is asked by a request; where it does not work it is left alone for a while.
import { partsOf, STREAM_PATH, type StreamedCall, type StreamedVerdict, type TaskReport, withBody } from "@holdfast/protocol";
import { type Credentials, requireKey } from "../client/credentials.ts";
import type { Runtime, Socket } from "../runtime/runtime.ts";

/** How long the server may take to answer, in milliseconds. */
const ANSWER_MS = 10_000;
/** Characters of what is better asked by a request: small frames do not wait behind it, and it may take its time. */
const LARGE = 256 * 1024;
/** Characters that may be on their way without an answer; what comes then is asked by requests. */
const MOST_UNDER_WAY = 4 * 1024 * 1024;
/** So long after the last call it is closed, unless an execution holds it: a process that is frozen finds nothing dead when it wakes. */
const IDLE_MS = 3_000;
/** Between two looks at what is overdue. */
const LOOK_MS = 1_000;
/** Pauses before it is opened again: after the first failure, and at most, as for a server or a proxy that does not know it. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 600_000;

/** An answer to a call, as a request would have got it. */
export interface StreamedAnswer {
  status: number;
  /** Seconds, the header of that name. */
  retryAfter: string | undefined;
  body: string;
}

interface Reply {
  head: Exclude<StreamedVerdict, { t: "ready" }>;
  body: string;
}

interface Pending {
  size: number;
  /** On the monotonic clock. */
  overdueAt: number;
  /** Undefined: there is no answer. */
  resolve(reply: Reply | undefined): void;
}

interface Line {
  readonly socket: Socket;
  /** Whose it is: another server or another key have another one. */
  readonly to: string;
  readonly openedAt: number;
  /** When frames were known to get through in both directions. */
  readyAt?: number;
}

export class AppStream {
  readonly #runtime: Runtime;
  readonly #trace: (message: string) => void;
  readonly #pending = new Map<number, Pending>();
  #line: Line | undefined;
  #executions = 0;
  #asked = 0;
  #underWay = 0;
  /** Of the last call or its answer. */
  #calledAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #cancelLook: () => void = () => {};

  /** @param trace tells those who asked for it what becomes of the stream */
  constructor(runtime: Runtime, trace: (message: string) => void = () => {}) {
    this.#runtime = runtime;
    this.#trace = trace;
  }

  /** An execution begins; the answer is called when it has ended. Unless there are calls, the last one closes the stream. */
  enter(): () => void {
    this.#executions += 1;
    return () => {
      this.#executions -= 1;
      if (this.#isIdle()) this.#hangUp();
    };
  }

  /** Opens it, unless it is open or did not work lately. Returns at once; until it stands, `carries` says no. */
  open(credentials: Credentials): void {
    if (this.#line || this.#runtime.elapsed() < this.#notBefore) return;
    const headers = { authorization: `Bearer ${requireKey(credentials)}` };
    try {
      const url = credentials.apiUrl.replace(/^http/, "ws") + STREAM_PATH;
      const socket = this.#runtime.dial(
        url,
        headers,
        this.#events(() => socket),
        true,
      );
      const openedAt = this.#runtime.elapsed();
      this.#line = { socket, to: nameOf(credentials), openedAt };
      this.#lookLater();
    } catch (error) {
      // A runtime without sockets of this kind.
      this.#distrust(error instanceof Error ? error.message : String(error), LONGEST_PAUSE_MS);
    }
  }

  /** Whether a frame of about so many characters may travel over it now. */
  carries(size: number, credentials: Credentials): boolean {
    if (this.#line?.readyAt === undefined || this.#line.to !== nameOf(credentials)) return false;
    if (this.#isIdle(this.#line.readyAt)) this.#hangUp();
    return this.#line !== undefined && size < LARGE && this.#underWay + size <= MOST_UNDER_WAY;
  }

  /** @param token the execution's */
  async report(token: string, items: TaskReport[]): Promise<"recorded" | "stale" | "unanswered"> {
    const reply = await this.#ask((n) => JSON.stringify({ t: "report", x: token, n, items }), ANSWER_MS);
    if (reply?.head.t === "ack") return "recorded";
    return reply?.head.t === "stale" ? "stale" : "unanswered";
  }

  /**
   * What would be a request. Undefined: it was not answered.
   *
   * @param patienceMs how long the server was asked to hold its answer back
   */
  async call(call: Omit<StreamedCall, "t" | "n">, body: string, patienceMs: number): Promise<StreamedAnswer | undefined> {
    this.#calledAt = this.#runtime.elapsed();
    const reply = await this.#ask((n) => withBody({ t: "call", n, ...call }, body), ANSWER_MS + patienceMs);
    this.#calledAt = this.#runtime.elapsed();
    if (reply?.head.t !== "answer") return undefined;
    return { status: reply.head.status, retryAfter: reply.head.retryAfter, body: reply.body };
  }

  /** Sends the frame of the number it is given. Undefined: it was not answered in time. */
  #ask(frameOf: (n: number) => string, withinMs: number): Promise<Reply | undefined> {
    const { socket } = this.#line ?? {};
    if (!socket) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const n = ++this.#asked;
      const text = frameOf(n);
      this.#underWay += text.length;
      this.#pending.set(n, { size: text.length, overdueAt: this.#runtime.elapsed() + withinMs, resolve });
      if (this.#pending.size === 1) socket.keepAwake(true);
      socket.send(text);
    });
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
    const { head, body } = partsOf(text);
    const verdict = read(head);
    if (!verdict) this.#fail("the server said something that is no verdict", LONGEST_PAUSE_MS);
    else if (verdict.t === "ready") this.#ready(line);
    else this.#answered({ head: verdict, body }, line);
  }

  #ready(line: Line): void {
    line.readyAt = this.#runtime.elapsed();
    this.#trace("reports and calls travel over a stream");
  }

  #answered(reply: Reply, { socket }: Line): void {
    const pending = this.#pending.get(reply.head.n);
    if (!pending) return;
    this.#pending.delete(reply.head.n);
    this.#underWay -= pending.size;
    if (this.#pending.size === 0) socket.keepAwake(false);
    this.#failures = 0;
    pending.resolve(reply);
  }

  /** @param readyAt it had its chance only since then */
  #isIdle(readyAt = Number.NEGATIVE_INFINITY): boolean {
    if (this.#executions > 0 || this.#pending.size > 0) return false;
    return this.#runtime.elapsed() - Math.max(this.#calledAt, readyAt) >= IDLE_MS;
  }

  /** One timer, however much is under way. */
  #lookLater(): void {
    this.#cancelLook();
    this.#cancelLook = this.#runtime.after(LOOK_MS, () => this.#look(), true);
  }

  #look(): void {
    if (!this.#line) return;
    const { openedAt, readyAt } = this.#line;
    const now = this.#runtime.elapsed();
    const late = `no answer within ${ANSWER_MS / 1000} s`;
    // Never ready: something in between holds frames back, and will the next time.
    if (readyAt === undefined && now - openedAt >= ANSWER_MS) this.#fail(late, LONGEST_PAUSE_MS);
    else if ([...this.#pending.values()].some(({ overdueAt }) => overdueAt <= now)) this.#fail(late, 0);
    else if (readyAt !== undefined && this.#isIdle(readyAt)) this.#hangUp();
    else this.#lookLater();
  }

  /** @param atLeastMs it is not opened again for so long */
  #fail(why: string, atLeastMs: number): void {
    this.#distrust(why, atLeastMs);
    this.#hangUp();
  }

  #distrust(why: string, atLeastMs: number): void {
    const pause = Math.min(LONGEST_PAUSE_MS, Math.max(atLeastMs, FIRST_PAUSE_MS * 2 ** this.#failures));
    this.#trace(`reports and calls are requests for the next ${pause / 1000} s: ${why}`);
    this.#failures += 1;
    this.#notBefore = this.#runtime.elapsed() + pause;
  }

  #hangUp(): void {
    const line = this.#line;
    this.#line = undefined;
    this.#cancelLook();
    line?.socket.close();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#underWay = 0;
    for (const { resolve } of pending) resolve(undefined);
  }
}

const VERDICTS: ReadonlySet<string> = new Set<StreamedVerdict["t"]>(["ready", "ack", "stale", "again", "answer"]);

function nameOf({ apiUrl, apiKey }: Credentials): string {
  return `${apiKey} ${apiUrl}`;
}

function read(text: string): StreamedVerdict | undefined {
  try {
    const verdict = JSON.parse(text) as StreamedVerdict;
    return VERDICTS.has(verdict.t) ? verdict : undefined;
  } catch {
    return undefined;
  }
}
