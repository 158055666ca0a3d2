// Room: connect. Keeps one app connected: dials, waits for the welcome, dials again when the connection is lost, moves over with what it runs when the
// server drains, leaves politely. Called by `client.connect()`.
import { UserFacingError } from "@holdfast/protocol";
import type { App } from "../client/app.ts";
import { type Credentials, requireKey } from "../client/credentials.ts";
import { Holdings } from "./holdings.ts";
import { Session, type SessionEnd, type SessionOwner } from "./session.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** While executions wait for a connection: a server keeps them for seconds only. */
const LONGEST_PAUSE_HOLDING_MS = 500;
const CONCURRENCY = 200;
/** A connection that held this long was a good one: the next pause is short again. */
const STEADY_MS = 5000;

export interface ConnectOptions {
  /** Most executions at once. Default 200. */
  concurrency?: number | undefined;
  /** Milliseconds `close()` waits for running executions. Default 25000. */
  drainMs?: number | undefined;
}

export interface ConnectedClient {
  /** Resolves when the server has welcomed the app; rejects when it refuses it, or when `close` comes first. */
  ready: Promise<void>;
  /** Takes no more executions, lets running ones end (bounded), disconnects. */
  close(): Promise<void>;
}

/** How a connection is made, beside what users may say. */
export interface Connecting extends ConnectOptions {
  /** The connection does not keep the program alive. */
  background?: boolean;
}

export function connectApp(app: App, credentials: () => Credentials, options: Connecting): ConnectedClient {
  const connector = new Connector(app, credentials, options);
  connector.ready.catch(() => {});
  return { ready: connector.ready, close: () => connector.close() };
}

class Connector implements SessionOwner {
  readonly ready: Promise<void>;
  readonly #app: App;
  readonly #credentials: () => Credentials;
  readonly #options: Connecting;
  readonly #holdings: Holdings;
  /** Where new executions arrive. */
  #session: Session | undefined;
  /** Sessions the server asked us to leave, until their executions have moved. */
  readonly #former = new Set<Session>();
  #everWelcomed = false;
  /** What the first welcome said: since when the server knows this process. */
  #since: number | undefined;
  /** When the present session was welcomed, on the monotonic clock. */
  #welcomedAt = Number.POSITIVE_INFINITY;
  #closing = false;
  #failures = 0;
  #cancelPause: (() => void) | undefined;
  #isReady: () => void = () => {};
  #isRefused: (error: Error) => void = () => {};

  constructor(app: App, credentials: () => Credentials, options: Connecting) {
    this.#app = app;
    this.#credentials = credentials;
    this.#options = options;
    this.#holdings = new Holdings(app, options.background ?? false);
    this.ready = new Promise((resolve, reject) => {
      this.#isReady = resolve;
      this.#isRefused = reject;
    });
    this.#dial();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#cancelPause?.();
    this.#isRefused(new UserFacingError("CONFLICT", "The app was told to close before it was connected."));
    const sessions = [...this.#former, ...(this.#session ? [this.#session] : [])];
    let cancel = () => {};
    const outOfTime = new Promise<void>((resolve) => {
      cancel = this.#app.runtime.after(this.#options.drainMs ?? 25_000, resolve);
    });
    await Promise.race([Promise.all(sessions.map((session) => session.leave())), outOfTime]);
    cancel();
    this.#holdings.abandon();
    for (const session of sessions) session.close();
  }

  welcomed(session: Session, at: number | undefined): void {
    if (session !== this.#session) return;
    this.#since ??= at;
    this.#app.trace("connected");
    this.#everWelcomed = true;
    this.#welcomedAt = this.#app.runtime.elapsed();
    this.#isReady();
    this.#gather();
  }

  began(session: Session): void {
    if (session !== this.#session) this.#gather();
  }

  /** Brings executions of former sessions to the present one, and has its server count those still on their way to a former one. */
  #gather(): void {
    if (!this.#session || this.#welcomedAt === Number.POSITIVE_INFINITY) return;
    this.#session.offer();
    this.#session.allow(this.#credit);
  }

  get #credit(): number {
    const elsewhere = [...this.#former].reduce((sum, { arriving }) => sum + arriving, 0);
    return Math.max(0, (this.#options.concurrency ?? CONCURRENCY) - elsewhere);
  }

  draining(session: Session): void {
    if (session !== this.#session) return;
    this.#app.trace("the server is going away; dialling again");
    this.#former.add(session);
    void session.finish().then(() => this.#former.delete(session));
    this.#session = undefined;
    this.#dialSoon();
  }

  ended(session: Session, end: SessionEnd): void {
    this.#former.delete(session);
    if (session !== this.#session) {
      this.#gather();
      return;
    }
    this.#session = undefined;
    if (this.#closing) return;
    if (end.kind === "refused" && !this.#everWelcomed) {
      this.#isRefused(refused(end.message));
      return;
    }
    const why = end.kind === "refused" ? end.message : end.reason;
    if (this.#failures === 0 || this.#welcomedAt < Number.POSITIVE_INFINITY) {
      this.#app.runtime.log(
        "warn",
        `Holdfast: no connection for the app "${this.#app.id}" (${why}); trying again until there is one.`,
      );
    }
    this.#dialSoon();
  }

  #dial(): void {
    if (this.#closing) return;
    try {
      const credentials = this.#credentials();
      const setting = {
        apiUrl: credentials.apiUrl,
        apiKey: requireKey(credentials),
        concurrency: this.#credit,
        holdings: this.#holdings,
        since: this.#since,
        background: this.#options.background ?? false,
      };
      this.#session = new Session(this.#app, this, setting);
    } catch (error) {
      this.#isRefused(error as Error);
    }
  }

  /** After a pause that doubles, with jitter, so that a thousand apps do not dial a restarted server in one instant. */
  #dialSoon(): void {
    const { runtime } = this.#app;
    if (runtime.elapsed() - this.#welcomedAt >= STEADY_MS) this.#failures = 0;
    this.#welcomedAt = Number.POSITIVE_INFINITY;
    const longest = this.#holdings.size > 0 ? LONGEST_PAUSE_HOLDING_MS : LONGEST_PAUSE_MS;
    const pause = Math.min(longest, FIRST_PAUSE_MS * 2 ** this.#failures) * (0.5 + runtime.random() / 2);
    this.#failures += 1;
    this.#cancelPause = runtime.after(pause, () => this.#dial(), this.#options.background);
  }
}

function refused(message: string): UserFacingError {
  return new UserFacingError("UNAUTHORIZED", message);
}
