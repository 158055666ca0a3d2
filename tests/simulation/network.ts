// Simulation: the network between programs. Connections deliver in order, late, and break: noticed by each side at a moment of its own, or by nobody until
// pings fail. Requests are lost, answered into the void, or arrive twice. The server's end looks like a `ws` socket, the app's like the SDK's Socket.
import { EventEmitter } from "node:events";
import type { AppFrame, ServerFrame } from "@holdfast/protocol";
import type { Socket, SocketEvents } from "@holdfast/sdk";
import type { Chance } from "./chance.ts";
import type { Fact } from "./history.ts";
import type { Scene } from "./scene.ts";
import type { Actor } from "./timeline.ts";

type Direction = "up" | "down";
/** A second copy of these changes nothing by contract; over TCP copies appear when a frame is sent again on a new connection. */
const REPEATABLE = new Set(["report", "end", "ack", "ended", "stale", "moved"]);
const HANDSHAKE_MS = 10_000;
const NOTICED_MS = { least: 1, most: 4_000 };
/** When a request whose packets vanish is found to be broken. */
const KEEPALIVE_MS = { least: 1_000, most: 40_000 };
/** What a WebSocket says of its end. */
const BROKEN = 1006;
const ON_PURPOSE = 1000;
/** How long the app's own pings take to find out that nobody answers. */
const PINGS_FAIL_MS = { least: 15_000, most: 30_000 };

/** Who is at the two ends, and whom the SDK wants told. */
interface Ends {
  app: Actor;
  server: Actor;
  events: SocketEvents;
}

/** A frame's kind: its first field, the text between the third quote and the fourth. */
function kindOf(frame: string): string {
  return frame.split('"', 4)[3] ?? "";
}

/** What a frame says that the judge wants to know. */
function noted(text: string): Fact[] {
  const frame = JSON.parse(text) as AppFrame | ServerFrame;
  const none = { token: "x" in frame ? frame.x : "", n: "n" in frame ? frame.n : 0 };
  switch (frame.t) {
    case "report":
      return [{ what: "reported", ...none, keys: frame.items.map(({ key, status, attempt }) => `${key} ${status} ${attempt}`) }];
    case "end":
      return [{ what: "reported", ...none, keys: ["end"] }];
    case "ack":
    case "ended":
      return [{ what: "received", ...none }];
    case "resumed":
      return [
        ...frame.held.map((token) => ({ what: "reclaimed" as const, token, held: true })),
        ...frame.stale.map((token) => ({ what: "reclaimed" as const, token, held: false })),
      ];
    default:
      return [];
  }
}
const NOTED: ReadonlySet<string> = new Set(["report", "end", "ack", "ended", "resumed"]);

/** One WebSocket between an app and a server. `up` is from the app to the server. */
export class Connection {
  readonly serverSocket: ServerSocket;
  /** Directions in which nothing arrives any more. */
  readonly #dead = new Set<Direction>();
  readonly #busyUntil = { up: 0, down: 0 };
  readonly #noticed = new Set<"app" | "server">();
  readonly #chance: Chance;

  constructor(
    private readonly scene: Scene,
    readonly ends: Ends,
    /** May change a frame on its way down. */
    private readonly seeDown: (text: string) => string,
  ) {
    this.#chance = scene.chance(`network ${ends.app.name} ${ends.server.name}`);
    this.serverSocket = new ServerSocket(this);
  }

  get over(): boolean {
    return this.#noticed.size === 2;
  }

  send(direction: Direction, text: string): void {
    if (!(direction === "up" ? this.ends.app : this.ends.server).alive) return;
    if (this.#dead.has(direction) || this.#noticed.has(direction === "up" ? "app" : "server")) return;
    this.#deliver(direction, text);
    if (REPEATABLE.has(kindOf(text)) && this.scene.strikes("frameTwice", this.#chance)) this.#deliver(direction, text);
  }

  #deliver(direction: Direction, text: string): void {
    const { timeline } = this.scene;
    const latency = this.scene.strikes("frameSlow", this.#chance) ? this.#chance.within(50, 3_000) : this.#chance.within(0.2, 3);
    const at = Math.max(timeline.now + latency, this.#busyUntil[direction]);
    this.#busyUntil[direction] = at;
    timeline.after(at - timeline.now, direction === "up" ? this.ends.server : this.ends.app, () => {
      if (this.#dead.has(direction)) return;
      if (direction === "up" && !this.#noticed.has("server")) this.serverSocket.emit("message", text);
      if (direction === "down" && !this.#noticed.has("app")) {
        this.note(this.ends.app, text);
        this.ends.events.message(this.seeDown(text));
      }
    });
  }

  note(by: Actor, text: string): void {
    if (NOTED.has(kindOf(text))) for (const fact of noted(text)) this.scene.note(by, fact);
  }

  /** The link breaks as by a reset: what was on its way is gone, and both sides know at once. */
  reset(): void {
    this.#dead.add("up").add("down");
    for (const side of ["app", "server"] as const) this.#tell(side, this.#chance.within(0.2, 50), "it was reset");
  }

  /** The link breaks. Frames on their way may still arrive; each side hears of it when it does. */
  cut(reason: string): void {
    if (this.#chance.happens(0.5)) this.#dead.add("up");
    if (this.#chance.happens(0.5)) this.#dead.add("down");
    this.#tell("app", this.#chance.within(NOTICED_MS.least, NOTICED_MS.most), reason);
    this.#tell("server", this.#chance.within(NOTICED_MS.least, NOTICED_MS.most), reason);
  }

  /** One or both directions swallow everything, and nobody is told: only unanswered pings show it. */
  mute(): void {
    const which = this.#chance.between(0, 2);
    if (which !== 0) this.#dead.add("up");
    if (which !== 1) this.#dead.add("down");
    this.#tell("app", this.#chance.within(PINGS_FAIL_MS.least, PINGS_FAIL_MS.most), "nobody answers");
  }

  /** One side is done with it: the other hears so after what was sent before. */
  closeFrom(side: "app" | "server", reason: string, code = BROKEN): void {
    const { timeline } = this.scene;
    this.#tell(side, 0, reason, code);
    const direction: Direction = side === "app" ? "up" : "down";
    const behind = Math.max(0, this.#busyUntil[direction] - timeline.now);
    if (!this.#dead.has(direction))
      this.#tell(side === "app" ? "server" : "app", behind + this.#chance.within(0.2, 3), reason, code);
  }

  /** The server pings: the answer comes only if both directions work. */
  ping(): void {
    if (this.#dead.size > 0) return;
    this.scene.timeline.after(this.#chance.within(0.4, 6), this.ends.app, () => {
      this.scene.timeline.after(0.2, this.ends.server, () => {
        if (this.#dead.size === 0 && !this.#noticed.has("server")) this.serverSocket.emit("pong");
      });
    });
  }

  #tell(side: "app" | "server", ms: number, reason: string, code = BROKEN): void {
    this.scene.timeline.after(ms, this.ends[side], () => {
      if (this.#noticed.has(side)) return;
      this.#noticed.add(side);
      if (side === "app") this.ends.events.closed(reason);
      else {
        this.serverSocket.readyState = 3;
        this.serverSocket.emit("close", code);
      }
    });
  }
}

/** As much of `ws` as the hub uses. */
export class ServerSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super();
    this.#connection = connection;
  }

  send(text: string, left?: () => void): void {
    this.#connection.ends.server.point(`frame ${kindOf(text)}`);
    this.#connection.send("down", text);
    left?.();
  }
  close(): void {
    this.readyState = 2;
    this.#connection.closeFrom("server", "the server closed it");
  }
  terminate(): void {
    this.close();
  }
  ping(): void {
    this.#connection.ping();
  }
}

/** The stream below the server's socket. */
export const WIRE = { cork: () => {}, uncork: () => {} };

/** A bug of an app: what it sends instead of a frame. */
export type Tamper = (text: string) => string[];

/** The app's end, from dialling on. */
class Dialled implements Socket {
  #state: "dialling" | "open" | "over" = "dialling";

  constructor(
    private readonly connection: Connection,
    private readonly tamper: Tamper | undefined,
  ) {}

  open(): void {
    if (this.#state !== "dialling") this.connection.closeFrom("app", "nobody waits for it any more");
    else {
      this.#state = "open";
      this.connection.ends.events.opened();
    }
  }

  fail(reason: string): void {
    if (this.#state !== "dialling") return;
    this.#state = "over";
    this.connection.ends.events.closed(reason);
  }

  send(text: string): void {
    if (this.#state !== "open") return;
    for (const frame of this.tamper ? this.tamper(text) : [text]) {
      this.connection.ends.app.point(`app frame ${kindOf(frame)}`);
      this.connection.note(this.connection.ends.app, frame);
      this.connection.send("up", frame);
    }
  }

  close(): void {
    if (this.#state === "open") this.connection.closeFrom("app", "the app closed it", ON_PURPOSE);
    else this.fail("closed by the app");
    this.#state = "over";
  }

  keepAwake(): void {}
}

/** Why a request got no answer. */
export class Unanswered extends Error {
  constructor(readonly why: "refused" | "broken" | "timeout") {
    super(`There was no answer: ${why}.`);
  }
}

interface RequestOptions {
  patience?: number;
  once?: boolean;
}

interface Call {
  to: Actor;
  fail(ms: number, why: Unanswered["why"]): void;
}

export class Network {
  readonly connections = new Set<Connection>();
  readonly #calls = new Set<Call>();
  readonly #scene: Scene;

  constructor(
    scene: Scene,
    private readonly tamper?: Tamper,
  ) {
    this.#scene = scene;
  }

  /**
   * An app dials a server.
   *
   * @param accept takes the server's end, in the server
   */
  dial(ends: Ends, accept: (socket: ServerSocket) => boolean, seeDown: (text: string) => string): Socket {
    const connection = new Connection(this.#scene, ends, seeDown);
    const dialled = new Dialled(connection, this.tamper);
    const chance = this.#scene.chance(`dial ${ends.app.name}`);
    const { timeline } = this.#scene;
    const fail = (ms: number, reason: string) => void timeline.after(ms, ends.app, () => dialled.fail(reason));
    fail(HANDSHAKE_MS, "no answer to the handshake");
    if (!ends.server.alive) fail(chance.within(1, 20), "refused");
    timeline.after(chance.within(0.5, 10), ends.server, () => {
      if (this.#scene.strikes("requestLost", chance)) return;
      if (!accept(connection.serverSocket)) return fail(chance.within(0.2, 5), "refused");
      this.connections.add(connection);
      timeline.after(chance.within(0.2, 5), ends.app, () => dialled.open());
    });
    return dialled;
  }

  /** A process is gone: its peers find the connections broken. */
  died(actor: Actor): void {
    for (const connection of this.connections) {
      const { app, server } = connection.ends;
      if (app === actor) connection.closeFrom("app", "the app died");
      if (server === actor) connection.closeFrom("server", "the server died");
      if (app === actor || server === actor || connection.over) this.connections.delete(connection);
    }
    for (const call of this.#calls) if (call.to === actor) call.fail(this.#scene.chance("resets").within(1, 50), "broken");
  }

  /**
   * A request from one program to another, answered by `handle` in the other.
   *
   * @param from null for senders, which do not die
   * @param options.patience milliseconds the asking side waits for the answer
   * @param options.once never arrives twice
   * @throws Unanswered
   */
  request<T>(from: Actor | null, to: Actor, handle: () => Promise<T>, options: RequestOptions = {}): Promise<T> {
    const { patience = 15_000, once: single = false } = options;
    const chance = this.#scene.chance(`requests to ${to.name}`);
    const { timeline } = this.#scene;
    return new Promise((resolve, reject) => {
      if (from?.alive === false) return;
      const call: Call = { to, fail: (ms, why) => void timeline.after(ms, from, () => reject(new Unanswered(why))) };
      const settled = (act: () => void) => () => {
        this.#calls.delete(call);
        act();
      };
      this.#calls.add(call);
      timeline.after(
        patience,
        from,
        settled(() => reject(new Unanswered("timeout"))),
      );
      if (!to.alive) call.fail(chance.within(1, 20), "refused");
      const swallowed = () => call.fail(chance.within(KEEPALIVE_MS.least, KEEPALIVE_MS.most), "broken");
      if (this.#scene.strikes("requestLost", chance)) return swallowed();
      const answer = (act: () => void) => timeline.after(chance.within(0.5, 8), from, settled(act));
      const once = (isAnswered: boolean) =>
        timeline.after(chance.within(0.5, 8), to, () => {
          handle().then(
            (value) => isAnswered && answer(() => resolve(value)),
            (error: unknown) => isAnswered && answer(() => reject(error)),
          );
        });
      const isLost = this.#scene.strikes("answerLost", chance);
      if (isLost) swallowed();
      once(!isLost);
      if (!single && this.#scene.strikes("requestTwice", chance)) once(false);
    });
  }

  /** Breaks one of the requests under way: its answer will not come, and who asked hears so. The other side goes on with it. */
  breakRequest(chance: Chance): void {
    if (this.#calls.size > 0) chance.pick([...this.#calls]).fail(chance.within(1, 4_000), "broken");
  }
}
