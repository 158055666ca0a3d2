// Room: execute. The connect transport, server side: apps dial in over one WebSocket each, and many executions share it.
// main hands it upgraded sockets; the worker hands it claimed runs. Frames are in protocol/connect.ts.
import type { Duplex } from "node:stream";
import {
  type AppFrame,
  appFrameSchema,
  CONNECT_PROTOCOL,
  type ExecutionStart,
  type RecordedTask,
  type RequestPayload,
  type ServerFrame,
  UserFacingError,
} from "@holdfast/protocol";
import type { WebSocket } from "ws";
import type { Registry } from "../dispatch/registry.ts";
import type { NoAnswer } from "../ingest/ports.ts";
import type { World } from "../platform/world.ts";
import type { AppRow, EnvironmentRow } from "../store/store.ts";

/** What the hub does with what apps say; implemented by the executor. */
export interface ConnectListener {
  report(frame: AppFrame & { t: "report" }, connection: Connection): void;
  ended(frame: AppFrame & { t: "end" }): void;
  /** The connection is gone, and with it these executions. */
  lost(tokens: string[]): void;
  /** An app has become reachable, or has room again. */
  ready(app: AppRow): void;
}

/** How long an app may take to answer a verify or respond. */
const ANSWER_WITHIN_MS = 30_000;
/** Two unanswered pings and the connection counts as dead. */
const PING_EVERY_MS = 15_000;

export class Connection {
  readonly executions = new Set<string>();
  app: AppRow | null = null;
  concurrency = 0;
  leaving = false;
  alive = true;
  readonly #waiting = new Map<number, (reply: (AppFrame & { t: "reply" }) | null) => void>();
  #requests = 0;
  #corked = false;

  constructor(
    readonly socket: WebSocket,
    readonly environment: EnvironmentRow,
    /** The stream below the socket: frames of one turn leave it in one write, as the acknowledgements of a batch do. */
    private readonly wire: Duplex,
    private readonly world: World,
  ) {}

  send(frame: ServerFrame): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (!this.#corked) {
      this.#corked = true;
      this.wire.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.wire.uncork();
      });
    }
    this.socket.send(JSON.stringify(frame));
  }

  get room(): number {
    return this.leaving || !this.app ? 0 : this.concurrency - this.executions.size;
  }

  /** Asks the app something and waits for its reply; null if it never comes. */
  ask(frame: {
    t: "verify" | "respond";
    endpoint: string;
    request: RequestPayload;
  }): Promise<(AppFrame & { t: "reply" }) | null> {
    const n = ++this.#requests;
    return new Promise((resolve) => {
      const finish = (reply: (AppFrame & { t: "reply" }) | null) => {
        cancel();
        this.#waiting.delete(n);
        resolve(reply);
      };
      const cancel = this.world.after(ANSWER_WITHIN_MS, () => finish(null));
      this.#waiting.set(n, finish);
      this.send({ ...frame, n });
    });
  }

  replied(frame: AppFrame & { t: "reply" }): void {
    this.#waiting.get(frame.n)?.(frame);
  }

  abandonRequests(): void {
    for (const finish of [...this.#waiting.values()]) finish(null);
  }
}

export class ConnectHub {
  readonly #connections = new Set<Connection>();
  #draining = false;
  #stopPinging: () => void = () => {};

  constructor(
    private readonly world: World,
    private readonly registry: Registry,
    private readonly listener: ConnectListener,
  ) {
    this.#pingLater();
  }

  /** Takes an authenticated socket. */
  accept(socket: WebSocket, environment: EnvironmentRow, wire: Duplex): void {
    const connection = new Connection(socket, environment, wire, this.world);
    this.#connections.add(connection);
    socket.on("message", (data) => void this.#received(connection, String(data)));
    socket.on("pong", () => {
      connection.alive = true;
    });
    socket.on("error", (error) => this.world.log.debug("app connection error", { error }));
    socket.on("close", () => this.#closed(connection));
  }

  async #received(connection: Connection, text: string): Promise<void> {
    connection.alive = true;
    const read = readFrame(text);
    if (!read.ok) return this.#misread(connection, read);
    const { frame } = read;
    if (frame.t === "hello" || frame.t === "index") await this.#introduced(connection, frame);
    else if (frame.t === "report") this.listener.report(frame, connection);
    else if (frame.t === "end") this.#ended(connection, frame);
    else if (frame.t === "reply") connection.replied(frame);
    else connection.leaving = true;
  }

  /** A report nobody can read ends its own execution; the app's other runs keep their connection. Anything else ends the connection. */
  #misread(connection: Connection, { execution, problem }: Misread): void {
    this.world.log.warn("an app sent a frame that cannot be read", { app: connection.app?.slug, problem });
    const message = `The app sent a frame that is not in the form of the connect protocol (${problem}).`;
    if (execution !== null && connection.executions.has(execution)) {
      connection.send({ t: "stale", x: execution, reason: "superseded" });
      this.#ended(connection, { t: "end", x: execution, items: [], outcome: { status: "ERROR", error: { message } } });
      return;
    }
    connection.send({ t: "refused", message, hint: "Update the SDK or the server." });
    connection.socket.close(1002, "bad frame");
  }

  async #introduced(connection: Connection, frame: AppFrame & { t: "hello" | "index" }): Promise<void> {
    if (frame.t === "hello" && frame.protocol !== CONNECT_PROTOCOL) {
      return this.#refuse(connection, `This server speaks connect protocol ${CONNECT_PROTOCOL}, the app ${frame.protocol}.`);
    }
    const slug = frame.t === "hello" ? frame.app : connection.app?.slug;
    if (!slug) return this.#refuse(connection, "The first frame must be hello.");
    try {
      const sdk = frame.t === "hello" ? frame.sdk : (connection.app?.sdk ?? null);
      const registration = { environmentId: connection.environment.id, slug, transport: "connect" as const, url: null, sdk };
      connection.app = await this.registry.saveIndex({ ...registration, index: frame.index });
    } catch (error) {
      this.world.log.warn("an app could not be registered", { app: slug, error });
      const itsOwn = error instanceof UserFacingError && error.code === "UNPROCESSABLE";
      if (itsOwn) return this.#refuse(connection, "The app could not be registered.", error.message);
      // A refusal tells an app to give up; what is our trouble shall only make it dial again.
      return connection.socket.close(1013, "try again later");
    }
    if (frame.t === "hello") connection.concurrency = frame.concurrency;
    connection.send({ t: "welcome", server: "holdfast", environment: connection.environment.slug });
    if (this.#draining) connection.send({ t: "draining" });
    else this.listener.ready(connection.app);
  }

  #refuse(connection: Connection, message: string, hint?: string): void {
    connection.send({ t: "refused", message, ...(hint ? { hint } : {}) });
    connection.socket.close(1008, "refused");
  }

  #ended(connection: Connection, frame: AppFrame & { t: "end" }): void {
    const wasFull = connection.room === 0;
    connection.executions.delete(frame.x);
    this.listener.ended(frame);
    if (wasFull && connection.app && !this.#draining) this.listener.ready(connection.app);
  }

  #closed(connection: Connection): void {
    this.#connections.delete(connection);
    connection.abandonRequests();
    this.listener.lost([...connection.executions]);
    connection.executions.clear();
  }

  /** Executions this server can start for the app now. */
  room(appId: string): number {
    if (this.#draining) return 0;
    let room = 0;
    for (const connection of this.#connections) if (connection.app?.id === appId) room += Math.max(0, connection.room);
    return room;
  }

  reachable(appId: string): boolean {
    return this.#of(appId) !== null;
  }

  /** The app's connection with the most room. */
  #of(appId: string): Connection | null {
    let best: Connection | null = null;
    for (const connection of this.#connections) {
      if (connection.app?.id === appId && !connection.leaving && (!best || connection.room > best.room)) best = connection;
    }
    return best;
  }

  /** Sends an execution to the app; null if no connection can take it. The first page of tasks is in `start`, the rest follows from `more`. */
  async execute(appId: string, start: ExecutionStart, more: AsyncIterable<RecordedTask[]> | null): Promise<Connection | null> {
    const connection = this.#of(appId);
    if (!connection) return null;
    connection.executions.add(start.token);
    connection.send(more ? { t: "execute", start, more: true } : { t: "execute", start });
    if (more) {
      for await (const tasks of more) connection.send({ t: "tasks", x: start.token, tasks, last: false });
      connection.send({ t: "tasks", x: start.token, tasks: [], last: true });
    }
    return connection;
  }

  async ask(
    appId: string,
    frame: { t: "verify" | "respond"; endpoint: string; request: RequestPayload },
  ): Promise<{ value: unknown } | NoAnswer> {
    const connection = this.#of(appId);
    if (!connection) return { type: "no-answer", message: "The app is not connected." };
    const reply = await connection.ask(frame);
    if (!reply) return { type: "no-answer", message: "The app did not answer in time." };
    return reply.ok ? { value: reply.value } : { type: "no-answer", message: reply.error ?? "The app could not answer." };
  }

  /** Asks every app to finish and dial another server; takes no new executions. */
  drain(): void {
    this.#draining = true;
    for (const connection of this.#connections) connection.send({ t: "draining" });
  }

  close(): void {
    this.#stopPinging();
    for (const connection of this.#connections) connection.socket.close(1001, "server stopping");
  }

  #pingLater(): void {
    this.#stopPinging = this.world.after(PING_EVERY_MS, () => {
      for (const connection of this.#connections) {
        if (!connection.alive) connection.socket.terminate();
        connection.alive = false;
        if (connection.socket.readyState === connection.socket.OPEN) connection.socket.ping();
      }
      this.#pingLater();
    });
  }
}

type Misread = { ok: false; execution: string | null; problem: string };

function readFrame(text: string): { ok: true; frame: AppFrame } | Misread {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, execution: null, problem: "it is not JSON" };
  }
  const parsed = appFrameSchema.safeParse(value);
  if (parsed.success) return { ok: true, frame: parsed.data };
  const [issue] = parsed.error.issues;
  return { ok: false, execution: executionOf(value), problem: `${issue?.path.join(".")}: ${issue?.message}` };
}

/** The execution a frame speaks for, as far as it can be told. */
function executionOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("t" in value) || !("x" in value)) return null;
  return (value.t === "report" || value.t === "end") && typeof value.x === "string" ? value.x : null;
}
