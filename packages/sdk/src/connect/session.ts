// Room: connect. One WebSocket to the server, from hello to its end: executions, verifications and answers that travel on it.
// Called by connect.ts, which dials again when this one ends. Promises: when the socket is gone every execution on it is abandoned at once
// (the server gives the runs to someone else), and nothing more is sent.
import {
  type AppFrame,
  CONNECT_PATH,
  CONNECT_PROTOCOL,
  type ExecutionStart,
  type ServerFrame,
  type TaskReport,
} from "@holdfast/protocol";
import { type App, unknownJob } from "../client/app.ts";
import type { Performance } from "../jobs/perform.ts";
import type { ExecutionEnd } from "../replay/execution.ts";
import type { Reporter } from "../replay/outbox.ts";
import type { Socket } from "../runtime/runtime.ts";
import { SDK_VERSION } from "../version.ts";

/** How a session ended: `refused` carries the server's words. */
export type SessionEnd = { kind: "refused"; message: string } | { kind: "lost"; reason: string };

export interface SessionOwner {
  welcomed(session: Session): void;
  /** The server is going away: dial another session; this one only finishes what it runs. */
  draining(session: Session): void;
  ended(session: Session, end: SessionEnd): void;
}

export interface SessionSetting {
  apiUrl: string;
  apiKey: string;
  concurrency: number;
  /** The socket does not keep the program alive. */
  background: boolean;
}

type Waiting = { resolve: (answer: "recorded" | "stale") => void };

/** One execution on this socket, and its reports that are not yet acknowledged. */
interface Running {
  performance: Performance;
  waiting: Map<number, Waiting>;
}

export class Session {
  readonly #app: App;
  readonly #owner: SessionOwner;
  readonly #concurrency: number;
  readonly #socket: Socket;
  readonly #running = new Map<string, Running>();
  /** Executions whose recorded tasks are still arriving. */
  readonly #arriving = new Map<string, ExecutionStart>();
  #reports = 0;
  #over = false;
  #leaving = false;
  #indexStale = false;
  #drained: (() => void) | undefined;
  #unwatch: (() => void) | undefined;

  constructor(app: App, owner: SessionOwner, { apiUrl, apiKey, concurrency, background }: SessionSetting) {
    this.#app = app;
    this.#owner = owner;
    this.#concurrency = concurrency;
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
    if (!this.#leaving) this.#send({ t: "leaving" });
    return this.finish();
  }

  /** Resolves when no execution is left; the socket is closed then. */
  async finish(): Promise<void> {
    this.#leaving = true;
    if (this.#busy && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    this.close();
  }

  /** Ends it now; what still runs is abandoned. */
  close(): void {
    this.#socket.close();
    this.#abandon("the app is leaving");
  }

  get #busy(): boolean {
    return this.#running.size > 0 || this.#arriving.size > 0;
  }

  #hello(): void {
    const { id } = this.#app;
    this.#send({
      t: "hello",
      protocol: CONNECT_PROTOCOL,
      app: id,
      sdk: SDK_VERSION,
      concurrency: this.#concurrency,
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
      this.#send({ t: "index", index: this.#app.index() });
    });
  }

  #send(frame: AppFrame): void {
    if (!this.#over) this.#socket.send(JSON.stringify(frame));
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
        this.#owner.welcomed(this);
        break;
      case "refused":
        this.#end({ kind: "refused", message: frame.hint ? `${frame.message} ${frame.hint}` : frame.message });
        break;
      case "execute":
        if (frame.more) this.#arriving.set(frame.start.token, frame.start);
        else this.#execute(frame.start);
        break;
      case "tasks":
        this.#moreTasks(frame);
        break;
      case "ack":
        this.#acknowledged(frame.x, frame.n);
        break;
      case "stale":
        this.#stale(frame.x);
        break;
      case "verify":
        this.#reply(frame.n, this.#app.verify(frame.endpoint, frame.request), frame.endpoint);
        break;
      case "respond":
        this.#reply(frame.n, this.#app.respond(frame.endpoint, frame.request), frame.endpoint);
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
    this.#execute(start);
  }

  #execute(start: ExecutionStart): void {
    const { token } = start;
    const waiting = new Map<number, Waiting>();
    const reporter: Reporter = {
      report: (items) => new Promise((resolve) => this.#report(token, items, { waiting, resolve })),
    };
    const performance = this.#app.execute(start, reporter);
    if (!performance) {
      this.#send({ t: "end", x: token, items: [], outcome: unknownJob(start) });
      return;
    }
    this.#running.set(token, { performance, waiting });
    void performance.ended.then((end) => this.#ended(token, end));
  }

  #report(x: string, items: TaskReport[], { waiting, resolve }: { waiting: Map<number, Waiting> } & Waiting): void {
    const n = ++this.#reports;
    waiting.set(n, { resolve });
    this.#send({ t: "report", x, n, items });
  }

  #acknowledged(x: string, n: number): void {
    const waiting = this.#running.get(x)?.waiting;
    waiting?.get(n)?.resolve("recorded");
    waiting?.delete(n);
  }

  #stale(x: string): void {
    this.#arriving.delete(x);
    this.#running.get(x)?.performance.supersede();
    this.#whenIdle();
  }

  #ended(x: string, end: ExecutionEnd): void {
    this.#running.delete(x);
    if (end.kind === "ended") this.#send({ t: "end", x, items: end.items, outcome: end.outcome });
    this.#whenIdle();
  }

  #whenIdle(): void {
    if (!this.#busy) this.#drained?.();
  }

  #reply(n: number, answer: Promise<unknown>, endpoint: string): void {
    const unknown = `This app has no endpoint "${endpoint}", or it answers nothing.`;
    answer.then(
      (value) =>
        this.#send(value === undefined ? { t: "reply", n, ok: false, error: unknown } : { t: "reply", n, ok: true, value }),
      (error: unknown) => this.#send({ t: "reply", n, ok: false, error: error instanceof Error ? error.message : String(error) }),
    );
  }

  #closed(reason: string, refusal?: { status: number; body: string }): void {
    const refused = refusal && (refusal.status === 401 || refusal.status === 403);
    this.#end(refused ? { kind: "refused", message: refusalText(refusal.body) } : { kind: "lost", reason });
  }

  #end(end: SessionEnd): void {
    if (this.#over) return;
    this.#abandon(end.kind === "lost" ? end.reason : end.message);
    this.#socket.close();
    this.#owner.ended(this, end);
  }

  #abandon(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#unwatch?.();
    this.#arriving.clear();
    for (const { performance } of this.#running.values()) performance.abandon(reason);
    this.#running.clear();
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
