// Room: execute. One app's WebSocket as the server sees it: what runs on it, what it was asked, and how much it has not read yet. Made by the connect hub.
// Promises: an app that does not read gets nothing new once CLOGGED_BYTES wait for it; frames of one turn leave in one write.
import type { Duplex } from "node:stream";
import type { AppFrame, HandOver, RequestPayload, RunNotification, ServerFrame } from "@holdfast/protocol";
import type { WebSocket } from "ws";
import type { AppRegistration } from "../dispatch/registry.ts";
import type { World } from "../platform/world.ts";
import type { AppRow, EnvironmentRow } from "../store/store.ts";

/** How long an app may take to answer a verify or respond. */
export const ANSWER_WITHIN_MS = 30_000;
/** What an app does when a run has ended may take its time. */
const NOTED_WITHIN_MS = 300_000;
/** An app this far behind gets no new work and no further page of an old one. */
const CLOGGED_BYTES = 4 * 1024 * 1024;

/** What an app is asked outside of executions. */
export type Question =
  | { t: "verify" | "respond"; endpoint: string; request: RequestPayload }
  | { t: "source"; what: HandOver; request: RequestPayload }
  | { t: "notify"; notification: RunNotification };

export interface Below {
  /** The stream below the socket: frames of one turn leave it in one write, as the acknowledgements of a batch do. */
  wire: Duplex;
  /** The app was far behind and is not any more. */
  flows: () => void;
}

/** How long an app has to answer the close of its socket when the server goes away: one that stands still would hold up the server's end, in milliseconds. */
export const GOODBYE_MS = 1_000;

export class Connection {
  readonly executions = new Set<string>();
  app: AppRow | null = null;
  /** What it said of itself has been taken. */
  introduced: Promise<void> | null = null;
  concurrency = 0;
  leaving = false;
  alive = true;
  /** What this process of the app said of it last; null before its hello. */
  registration: AppRegistration | null = null;
  /** When this process first came, in epoch milliseconds: it may have dialled again since. */
  since = 0;
  /** What this process of the app has. While a deployment replaces another, not all have the same. */
  #jobs: ReadonlySet<string> = new Set();
  #endpoints: ReadonlySet<string> = new Set();
  readonly #waiting = new Map<number, (reply: (AppFrame & { t: "reply" }) | null) => void>();
  #requests = 0;
  #corked = false;
  /** Bytes of frames that have not left for the app. */
  #unsent = 0;
  #whenFlowing: (() => void)[] = [];

  constructor(
    readonly socket: WebSocket,
    readonly environment: EnvironmentRow,
    private readonly world: World,
    private readonly below: Below,
  ) {}

  tells(registration: AppRegistration): void {
    this.registration = registration;
    const { jobs, httpEndpoints = [] } = registration.index;
    this.#jobs = new Set(jobs.map(({ id }) => id));
    this.#endpoints = new Set(httpEndpoints.map(({ id }) => id));
  }

  hasJob(id: string): boolean {
    return this.#jobs.has(id);
  }

  /** Whether the process has what the question is about, as far as it names that. */
  knows(question: Question): boolean {
    if (question.t === "notify") return this.hasJob(question.notification.job.id);
    return question.t === "source" || this.#endpoints.has(question.endpoint);
  }

  send(frame: ServerFrame): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (!this.#corked) {
      this.#corked = true;
      this.below.wire.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.below.wire.uncork();
      });
    }
    const text = JSON.stringify(frame);
    this.#unsent += text.length;
    this.socket.send(text, () => this.#left(text.length));
  }

  #left(bytes: number): void {
    const wasClogged = this.clogged;
    this.#unsent -= bytes;
    if (!wasClogged || this.clogged) return;
    for (const resolve of this.#whenFlowing.splice(0)) resolve();
    this.below.flows();
  }

  get clogged(): boolean {
    return this.#unsent > CLOGGED_BYTES;
  }

  /** Resolves when the app has read enough, or is gone. */
  async flowing(): Promise<void> {
    while (this.clogged && this.socket.readyState === this.socket.OPEN) {
      await new Promise<void>((resolve) => this.#whenFlowing.push(resolve));
    }
  }

  get room(): number {
    return this.leaving || !this.app || this.clogged ? 0 : this.concurrency - this.executions.size;
  }

  /** Nothing of this execution counts any more. */
  stop(token: string, reason: "superseded" | "canceled"): void {
    this.executions.delete(token);
    this.send({ t: "stale", x: token, reason });
  }

  /** Asks the app something and waits for its reply; null if it never comes. */
  ask(frame: Question): Promise<(AppFrame & { t: "reply" }) | null> {
    const n = ++this.#requests;
    return new Promise((resolve) => {
      const finish = (reply: (AppFrame & { t: "reply" }) | null) => {
        cancel();
        this.#waiting.delete(n);
        resolve(reply);
      };
      const cancel = this.world.after(frame.t === "notify" ? NOTED_WITHIN_MS : ANSWER_WITHIN_MS, () => finish(null));
      this.#waiting.set(n, finish);
      this.send({ ...frame, n });
    });
  }

  replied(frame: AppFrame & { t: "reply" }): void {
    this.#waiting.get(frame.n)?.(frame);
  }

  /** The socket is closed: nobody waits for it any more. */
  closed(): void {
    for (const finish of [...this.#waiting.values()]) finish(null);
    for (const resolve of this.#whenFlowing.splice(0)) resolve();
  }
}
