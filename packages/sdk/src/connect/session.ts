// Room: connect. One WebSocket to the server, from hello to its end: executions, verifications and answers that travel on it. The executions themselves
// are the Holdings'. Called by connect.ts, which dials again when this one ends. Promises: nothing is sent once the socket is gone.
import { type AppFrame, CONNECT_PATH, CONNECT_PROTOCOL, type ExecutionStart, type ServerFrame } from "@holdfast/protocol";
import type { App } from "../client/app.ts";
import type { Socket } from "../runtime/runtime.ts";
import { SDK_VERSION } from "../version.ts";
import type { Holdings } from "./holdings.ts";
import { type Parcel, Window } from "./window.ts";

/** How a session ended: `refused` carries the server's words. */
export type SessionEnd = { kind: "refused"; message: string } | { kind: "lost"; reason: string };

export interface SessionOwner {
  /** @param at since when the server knows this process */
  welcomed(session: Session, at: number | undefined): void;
  /** The server is going away: dial another session; this one serves what it runs until that has moved. */
  draining(session: Session): void;
  /** An execution began on it. */
  began(session: Session): void;
  ended(session: Session, end: SessionEnd): void;
}

export interface SessionSetting {
  apiUrl: string;
  apiKey: string;
  /** Most executions it may bring, those it takes over among them. */
  concurrency: number;
  holdings: Holdings;
  /** What the first welcome of this process said; undefined: there was none. */
  since: number | undefined;
  /** The socket does not keep the program alive. */
  background: boolean;
}

export class Session {
  readonly #app: App;
  readonly #owner: SessionOwner;
  readonly #holdings: Holdings;
  readonly #socket: Socket;
  readonly #window: Window;
  /** Executions the server was told this process holds. */
  readonly #offered = new Set<string>();
  /** Executions whose recorded tasks are still arriving. */
  readonly #arriving = new Map<string, ExecutionStart>();
  readonly #since: number | undefined;
  #concurrency: number;
  #over = false;
  #leaving = false;
  #indexStale = false;
  #drained: (() => void) | undefined;
  #unwatch: (() => void) | undefined;

  constructor(app: App, owner: SessionOwner, setting: SessionSetting) {
    const { apiUrl, apiKey, concurrency, holdings, background } = setting;
    this.#since = setting.since;
    this.#app = app;
    this.#owner = owner;
    this.#concurrency = concurrency;
    this.#holdings = holdings;
    this.#window = new Window(
      (text) => this.#sendText(text),
      () => app.runtime.elapsed(),
    );
    const url = apiUrl.replace(/^http/, "ws") + CONNECT_PATH;
    this.#socket = app.runtime.dial(
      url,
      { authorization: `Bearer ${apiKey}` },
      {
        opened: () => this.#hello(),
        message: (text) => this.#receive(text),
        closed: (reason, refusal) => this.#closed(reason, refusal),
      },
      background,
    );
  }

  /** Asks for no more executions and resolves when the last one has ended. */
  leave(): Promise<void> {
    if (!this.#leaving) this.send({ t: "leaving" });
    return this.finish();
  }

  /** Resolves when no execution is left on it; the socket is closed then. */
  async finish(): Promise<void> {
    this.#leaving = true;
    if (this.#busy && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    this.close();
  }

  /** Ends it now. */
  close(): void {
    this.#socket.close();
    this.#finish();
  }

  /** Says which executions this process holds beside those that are on this connection, once each. */
  offer(): void {
    const xs = this.#unoffered();
    if (xs.length > 0) this.send({ t: "resume", xs });
  }

  #unoffered(): string[] {
    const tokens = this.#holdings.notOn(this).filter((token) => !this.#offered.has(token));
    for (const token of tokens) this.#offered.add(token);
    return tokens;
  }

  /** The server may bring so many executions from now on. */
  allow(concurrency: number): void {
    if (concurrency === this.#concurrency) return;
    this.#concurrency = concurrency;
    this.send({ t: "credit", concurrency });
  }

  /** Executions whose recorded tasks are still on their way. */
  get arriving(): number {
    return this.#arriving.size;
  }

  get #busy(): boolean {
    return this.#arriving.size > 0 || this.#holdings.isOn(this);
  }

  post(parcel: Parcel): void {
    this.#window.post(parcel);
  }

  settled(parcel: Parcel): void {
    this.#window.settled(parcel);
  }

  /** An execution has left it. */
  released(): void {
    if (this.#drained && !this.#busy) this.#drained();
  }

  #hello(): void {
    const { id } = this.#app;
    const holds = this.#unoffered();
    const since = this.#since;
    this.send({
      t: "hello",
      protocol: CONNECT_PROTOCOL,
      app: id,
      sdk: SDK_VERSION,
      concurrency: this.#concurrency,
      ...(holds.length > 0 ? { holds } : {}),
      ...(since === undefined ? {} : { since }),
      index: this.#app.index(),
    });
    this.#unwatch = this.#app.whenChanged(() => this.#tellIndexSoon());
  }

  /** Definitions made in one turn are told together. */
  #tellIndexSoon(): void {
    if (this.#indexStale) return;
    this.#indexStale = true;
    queueMicrotask(() => {
      this.#indexStale = false;
      this.send({ t: "index", index: this.#app.index() });
    });
  }

  send(frame: AppFrame): void {
    this.#sendText(JSON.stringify(frame));
  }

  #sendText(text: string): void {
    if (!this.#over) this.#socket.send(text);
  }

  #receive(text: string): void {
    if (this.#over) return;
    const frame = readFrame(text);
    if (frame) this.#handle(frame);
    else this.#end({ kind: "lost", reason: "the server sent something that is no frame" });
  }

  #handle(frame: ServerFrame): void {
    switch (frame.t) {
      case "welcome":
        this.#owner.welcomed(this, frame.at);
        break;
      case "refused":
        this.#end({ kind: "refused", message: frame.hint ? `${frame.message} ${frame.hint}` : frame.message });
        break;
      case "execute":
        if (frame.more) this.#arriving.set(frame.start.token, frame.start);
        else this.#begin(frame.start);
        break;
      case "tasks":
        this.#moreTasks(frame);
        break;
      case "ack":
        this.#holdings.acknowledged(frame.x, frame.n);
        break;
      case "ended":
        this.#holdings.ended(frame.x);
        break;
      case "stale":
        this.#arriving.delete(frame.x);
        this.#holdings.stale(frame.x, this);
        this.released();
        break;
      case "resumed":
        this.#holdings.resumed(frame, this);
        break;
      case "verify":
        this.#reply(frame.n, this.#app.verify(frame.endpoint, frame.request), frame.endpoint);
        break;
      case "respond":
        this.#reply(frame.n, this.#app.respond(frame.endpoint, frame.request), frame.endpoint);
        break;
      case "source":
        this.#reply(frame.n, this.#app.sources.handle(frame.what, frame.request), frame.what.key);
        break;
      case "notify":
        this.#reply(frame.n, this.#app.notify(frame.notification), frame.notification.job.id);
        break;
      case "draining":
        this.#owner.draining(this);
        break;
    }
  }

  #moreTasks(frame: Extract<ServerFrame, { t: "tasks" }>): void {
    const start = this.#arriving.get(frame.x);
    if (!start) return;
    for (const task of frame.tasks) start.tasks.push(task);
    if (!frame.last) return;
    this.#arriving.delete(frame.x);
    this.#begin(start);
  }

  #begin(start: ExecutionStart): void {
    this.#holdings.begin(start, this);
    this.#owner.began(this);
  }

  #reply(n: number, answer: Promise<unknown>, endpoint: string): void {
    const unknown = `This app has no endpoint "${endpoint}", or it answers nothing.`;
    answer.then(
      (value) =>
        this.send(value === undefined ? { t: "reply", n, ok: false, error: unknown } : { t: "reply", n, ok: true, value }),
      (error: unknown) => this.send({ t: "reply", n, ok: false, error: error instanceof Error ? error.message : String(error) }),
    );
  }

  #closed(reason: string, refusal?: { status: number; body: string }): void {
    const refused = refusal && (refusal.status === 401 || refusal.status === 403);
    this.#end(refused ? { kind: "refused", message: refusalText(refusal.body) } : { kind: "lost", reason });
  }

  #end(end: SessionEnd): void {
    if (this.#over) return;
    this.#socket.close();
    this.#finish();
    this.#owner.ended(this, end);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unwatch?.();
    this.#arriving.clear();
    this.#holdings.lost(this);
    this.#drained?.();
  }
}

function readFrame(text: string): ServerFrame | undefined {
  try {
    return JSON.parse(text) as ServerFrame;
  } catch {
    return undefined;
  }
}

/** The words in a refused upgrade's body, JSON or not. */
function refusalText(body: string): string {
  try {
    const { message, error, hint } = JSON.parse(body) as Record<string, unknown>;
    const text = message ?? error;
    if (typeof text === "string") return typeof hint === "string" ? `${text} ${hint}` : text;
  } catch {
    // Not JSON: shown as it came.
  }
  return body.trim() || "The server refused this app's key.";
}
