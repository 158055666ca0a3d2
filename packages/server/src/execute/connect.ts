// Room: execute. The connect transport, server side: apps dial in over one WebSocket each, and many executions share it.
// main hands it upgraded sockets; the worker hands it claimed runs. Frames are in protocol/connect.ts.
import type { Duplex } from "node:stream";
import {
  type AppFrame,
  appFrameSchema,
  CONNECT_PROTOCOL,
  type ExecutionStart,
  type RecordedTask,
  UserFacingError,
} from "@holdfast/protocol";
import type { WebSocket } from "ws";
import type { Registry } from "../dispatch/registry.ts";
import type { NoAnswer } from "../ingest/ports.ts";
import type { World } from "../platform/world.ts";
import type { AppRow, EnvironmentRow } from "../store/store.ts";
import { Connection, GOODBYE_MS, type Question } from "./connection.ts";
import { NewestProcesses } from "./newest.ts";

/** What the hub does with what apps say; implemented by the executor. */
export interface ConnectListener {
  report(frame: AppFrame & { t: "report" }, connection: Connection): void;
  ended(frame: AppFrame & { t: "end" }, connection: Connection): void;
  /** The app has begun to come back with these; answers those this server has. They are on this connection from now on, unless `resume` says otherwise. */
  returning(tokens: readonly string[], slug: string, connection: Connection): string[];
  /** The app comes with executions it holds; answers those that are still theirs, which go on over this connection. */
  resume(tokens: readonly string[], connection: Connection): Promise<string[]>;
  /** The connection broke; the app may come back with these executions. */
  broken(tokens: readonly string[]): void;
  /** The app has left, and with it these executions. */
  lost(tokens: readonly string[]): void;
  /** These go on over another connection, perhaps of another server, or are over. */
  moved(tokens: readonly string[]): void;
  /** An app has become reachable, or has room again. */
  ready(app: AppRow): void;
}

/** Two unanswered pings and the connection counts as dead. */
const PING_EVERY_MS = 15_000;
/** What a side says that closes on purpose: an app that closes so is gone, with its executions. Any other end may be the network's. */
const CLOSED_ON_PURPOSE: ReadonlySet<number> = new Set([1000, 1001]);

export class ConnectHub {
  readonly #connections = new Set<Connection>();
  #draining = false;
  readonly #newest: NewestProcesses;
  #stopPinging: () => void = () => {};

  constructor(
    private readonly world: World,
    private readonly registry: Registry,
    private readonly listener: ConnectListener,
  ) {
    this.#newest = new NewestProcesses(world, registry, () => this.#connections);
    this.#pingLater();
  }

  /** Takes an authenticated socket. */
  accept(socket: WebSocket, environment: EnvironmentRow, wire: Duplex): void {
    const flows = () => this.#hasRoom(connection);
    const connection: Connection = new Connection(socket, environment, this.world, { wire, flows });
    this.#connections.add(connection);
    socket.on("message", (data) => void this.#received(connection, String(data)));
    socket.on("pong", () => {
      connection.alive = true;
    });
    socket.on("error", (error) => this.world.log.debug("app connection error", { error }));
    socket.on("close", (code) => this.#closed(connection, code));
  }

  async #received(connection: Connection, text: string): Promise<void> {
    connection.alive = true;
    const read = readFrame(text);
    if (!read.ok) return this.#misread(connection, read);
    const { frame } = read;
    switch (frame.t) {
      case "report":
        return this.listener.report(frame, connection);
      case "end":
        return this.#ended(connection, frame);
      case "reply":
        return connection.replied(frame);
      case "resume":
        return this.#resume(connection, frame.xs);
      case "moved":
        return this.#moved(connection, frame.xs);
      case "credit":
        connection.concurrency = frame.concurrency;
        return this.#hasRoom(connection);
      case "leaving":
        connection.leaving = true;
        return;
      default: {
        // In turn: jobs that are told while the hello is being taken are the later ones.
        const introduce = () => this.#introduced(connection, frame);
        connection.introduced = connection.introduced?.then(introduce) ?? introduce();
        return connection.introduced;
      }
    }
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
    // Said before anything is adopted: executions stay where they are until the app finds a server that keeps them.
    if (this.#draining && frame.t === "hello") return connection.socket.close(1013, "draining");
    if (frame.t === "hello" && frame.holds) {
      this.#takeFromOthers(connection, this.listener.returning(frame.holds, frame.app, connection));
    }
    const slug = frame.t === "hello" ? frame.app : connection.registration?.slug;
    if (!slug) return this.#refuse(connection, "The first frame must be hello.");
    const { environment } = connection;
    const sdk = frame.t === "hello" ? frame.sdk : (connection.app?.sdk ?? null);
    const registration = {
      environmentId: environment.id,
      slug,
      transport: "connect" as const,
      url: null,
      sdk,
      index: frame.index,
    };
    // Before the index counts: runs it starts are for a process that is known to have their jobs.
    connection.tells(registration);
    try {
      const since = frame.t === "hello" ? (frame.since ?? null) : connection.since;
      const introduced = await this.registry.introduce(registration, since);
      connection.since = introduced.since;
      connection.app = introduced.app;
    } catch (error) {
      this.world.log.warn("an app could not be registered", { app: slug, error });
      const itsOwn = error instanceof UserFacingError && error.code === "UNPROCESSABLE";
      if (itsOwn) return this.#refuse(connection, "The app could not be registered.", error.message);
      // A refusal tells an app to give up; what is our trouble shall only make it dial again.
      return connection.socket.close(1013, "try again later");
    }
    if (frame.t === "hello") {
      if (this.#draining) return connection.socket.close(1013, "draining");
      connection.send({ t: "welcome", server: "holdfast", environment: environment.slug, at: connection.since });
      // What the app holds comes before anything new: until it is known there is no room.
      if (frame.holds?.length) await this.#resume(connection, frame.holds);
      connection.concurrency = frame.concurrency;
    }
    if (!this.#draining) this.listener.ready(connection.app);
  }

  async #resume(connection: Connection, tokens: readonly string[]): Promise<void> {
    try {
      const held = await this.listener.resume(tokens, connection);
      const known = new Set(held);
      const stale = tokens.filter((token) => !known.has(token));
      for (const token of stale) connection.executions.delete(token);
      this.#takeFromOthers(connection, held);
      connection.send({ t: "resumed", held, stale });
      if (!this.#connections.has(connection)) this.listener.broken(held);
    } catch (error) {
      this.world.log.warn("executions could not be resumed", { app: connection.app?.slug, error });
      connection.socket.close(1013, "try again later");
    }
  }

  #takeFromOthers(connection: Connection, tokens: readonly string[]): void {
    for (const other of this.#connections) if (other !== connection) for (const token of tokens) other.executions.delete(token);
  }

  #moved(connection: Connection, tokens: readonly string[]): void {
    const carried = tokens.filter((token) => connection.executions.delete(token));
    this.listener.moved(carried);
    this.#hasRoom(connection);
  }

  #refuse(connection: Connection, message: string, hint?: string): void {
    connection.send({ t: "refused", message, ...(hint ? { hint } : {}) });
    connection.socket.close(1008, "refused");
  }

  #ended(connection: Connection, frame: AppFrame & { t: "end" }): void {
    const wasFull = connection.room <= 0;
    connection.executions.delete(frame.x);
    this.listener.ended(frame, connection);
    if (wasFull) this.#hasRoom(connection);
  }

  #hasRoom({ app, room }: Connection): void {
    if (app && room > 0 && !this.#draining) this.listener.ready(app);
  }

  #closed(connection: Connection, code: number): void {
    this.#connections.delete(connection);
    if (this.#draining && this.#connections.size === 0) this.#stopPinging();
    connection.closed();
    const executions = [...connection.executions];
    connection.executions.clear();
    if (connection.leaving || CLOSED_ON_PURPOSE.has(code)) this.listener.lost(executions);
    else this.listener.broken(executions);
  }

  /** Executions this server can start for the app now. */
  room(appId: string): number {
    if (this.#draining) return 0;
    let room = 0;
    for (const connection of this.#connections) if (connection.app?.id === appId) room += Math.max(0, connection.room);
    return room;
  }

  reachable(appId: string): boolean {
    return this.#of(appId).length > 0;
  }

  /** Connections of the app, those with the most room first. */
  #of(appId: string): Connection[] {
    const all = [...this.#connections].filter(({ app, leaving }) => app?.id === appId && !leaving);
    return all.sort((one, other) => other.room - one.room);
  }

  /**
   * Sends an execution to the app. The first page of tasks is in `start`, the rest follows from `more`, as fast as the app reads.
   *
   * @param isDefined the app's index has the job, so that a process without it is one of another deployment; else any process may say that it has it not
   * @returns the connection that took it; "gone" if there is none, "full" if none has room (any more), "elsewhere" if only processes have that lack the job
   */
  async execute(
    appId: string,
    start: ExecutionStart,
    more: AsyncIterable<RecordedTask[]> | null,
    isDefined = false,
  ): Promise<Connection | "gone" | "full" | "elsewhere"> {
    const all = this.#of(appId);
    const having = all.filter((one) => one.hasJob(start.job.id));
    const connection = having[0] ?? (isDefined ? undefined : all[0]);
    if (all.length === 0) return "gone";
    if (!connection || connection.room <= 0) return this.room(appId) > 0 ? "elsewhere" : "full";
    connection.executions.add(start.token);
    connection.send(more ? { t: "execute", start, more: true } : { t: "execute", start });
    if (more) {
      for await (const tasks of more) {
        connection.send({ t: "tasks", x: start.token, tasks, last: false });
        await connection.flowing();
      }
      connection.send({ t: "tasks", x: start.token, tasks: [], last: true });
    }
    return connection;
  }

  async ask(appId: string, frame: Question): Promise<{ value: unknown } | NoAnswer> {
    const all = this.#of(appId);
    const connection = all.find((one) => one.knows(frame)) ?? all[0];
    if (!connection) return { type: "no-answer", message: "The app is not connected." };
    if (connection.clogged) return { type: "no-answer", message: "The app does not read what it is sent." };
    const reply = await connection.ask(frame);
    if (!reply) return { type: "no-answer", message: "The app did not answer in time." };
    return reply.ok ? { value: reply.value } : { type: "no-answer", message: reply.error ?? "The app could not answer." };
  }

  /** Notes which apps are connected, as it is done every minute. */
  keepNewest(): Promise<void> {
    return this.#newest.keep();
  }

  /** Asks every app to finish and dial another server; takes no new executions. */
  drain(): void {
    this.#draining = true;
    this.#newest.stop();
    for (const connection of this.#connections) connection.send({ t: "draining" });
  }

  close(): void {
    this.#newest.stop();
    this.#stopPinging();
    for (const connection of this.#connections) connection.socket.close(1001, "server stopping");
    if (this.#connections.size === 0) return;
    this.#stopPinging = this.world.after(GOODBYE_MS, () => {
      for (const connection of this.#connections) connection.socket.terminate();
    });
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
