// Room: http. The stream, server side: task reports of pushed executions, and calls of the API, over one WebSocket of an app's process (protocol/app-stream.ts).
// main hands it upgraded sockets. Promises: a report is acknowledged once it is on disk, as the route POST /api/v1/executions/:token/reports does, and only
// for runs of the key's environment; what could not be recorded is left to that route, which says why; a call is answered as a request would be; an app
// that is ahead of the disk, or does not read its answers, is not read from for as long.
import type { Duplex } from "node:stream";
import {
  partsOf,
  type StreamedCall,
  type StreamedFrame,
  type StreamedVerdict,
  streamedAddressSchema,
  streamedFrameSchema,
  withBody,
} from "@holdfast/protocol";
import type { WebSocket } from "ws";
import { GOODBYE_MS } from "../execute/connection.ts";
import type { Cancel, World } from "../platform/world.ts";
import type { EnvironmentRow } from "../store/store.ts";
import type { RunOwners } from "../tasks/owners.ts";
import { runIdOfToken } from "../tasks/report.ts";
import type { Rooms } from "./rooms.ts";
import type { AnswerCall } from "./streamed-call.ts";

/** Two unanswered pings and the stream counts as dead. */
const PING_EVERY_MS = 15_000;
/** Characters of frames whose answers have not left: beyond it nothing more is read. */
const MOST_UNANSWERED = 8 * 1024 * 1024;
/** How long a server that goes away waits for the answers to what it has read. */
const LAST_ANSWERS_MS = 4_000;

type Report = StreamedFrame & { t: "report" };

export interface StreamNeeds {
  world: World;
  reports: Rooms["reports"];
  owners: Pick<RunOwners, "owns">;
  answerCall: AnswerCall;
}

/** Who opened a stream. */
export interface StreamCaller {
  environment: EnvironmentRow;
  /** Where its app reaches this server. */
  origin: string;
  /** The stream below the socket. */
  wire: Duplex;
  /** Whether the key it was opened with is still one. */
  isAdmitted: () => boolean;
}

export class AppStreams {
  readonly #open = new Set<AppStream>();

  constructor(private readonly needs: StreamNeeds) {}

  /** Takes an authenticated socket. */
  accept(socket: WebSocket, caller: StreamCaller): void {
    const stream = new AppStream(socket, caller, this.needs);
    this.#open.add(stream);
    socket.on("close", () => {
      stream.closed();
      this.#open.delete(stream);
    });
  }

  /** The server goes away: what it has read is answered, for the rest apps ask by requests. */
  close(): void {
    for (const stream of this.#open) stream.close();
  }
}

class AppStream {
  #alive = true;
  #unanswered = 0;
  #isCorked = false;
  #isClosing = false;
  /** Aborted when the app hangs up: nobody waits for its calls any more. */
  readonly #gone = new AbortController();
  #cancelPing: Cancel = () => {};

  constructor(
    private readonly socket: WebSocket,
    private readonly caller: StreamCaller,
    private readonly needs: StreamNeeds,
  ) {
    socket.on("message", (data) => this.#received(String(data)));
    socket.on("pong", () => {
      this.#alive = true;
    });
    socket.on("error", (error) => needs.world.log.debug("stream error", { error }));
    this.#pingLater();
  }

  close(): void {
    this.#isClosing = true;
    this.#cancelPing();
    if (this.#unanswered === 0) this.#end();
    else this.#cancelPing = this.needs.world.after(LAST_ANSWERS_MS, () => this.#end());
  }

  #end(): void {
    this.socket.close(1001, "server stopping");
    this.#cancelPing();
    this.#cancelPing = this.needs.world.after(GOODBYE_MS, () => this.socket.terminate());
  }

  closed(): void {
    this.#cancelPing();
    this.#gone.abort();
  }

  #received(text: string): void {
    this.#alive = true;
    if (this.#isClosing) return;
    const { head, body } = partsOf(text);
    const read = this.caller.isAdmitted() ? readFrame(head) : "forbidden";
    if (read === "forbidden") this.socket.close(1008, "the key is not valid any more");
    else if (read === "unreadable") this.socket.close(1002, "bad frame");
    else if (read.t === "hello") this.#send(JSON.stringify({ t: "ready" } satisfies StreamedVerdict));
    else if (read.t === "again") this.#send(JSON.stringify(read));
    else this.#answer(text.length, read.t === "call" ? this.#answerTo(read, body) : this.#verdictOn(read));
  }

  #answer(size: number, answer: Promise<string>): void {
    this.#unanswered += size;
    if (this.#unanswered > MOST_UNANSWERED) this.socket.pause();
    void answer.then((text) => this.#send(text, () => this.#answered(size)));
  }

  async #answerTo(call: StreamedCall, text: string): Promise<string> {
    const { environment, origin } = this.caller;
    const { body, ...answer } = await this.needs.answerCall(call, { environment, origin, body: text }, this.#gone.signal);
    return withBody({ t: "answer", n: call.n, ...answer }, body);
  }

  async #verdictOn(report: Report): Promise<string> {
    const { x, n } = report;
    return JSON.stringify({ t: await this.#verdict(report), x, n } satisfies StreamedVerdict);
  }

  async #verdict({ x, items }: Report): Promise<"ack" | "stale" | "again"> {
    const { owners, reports, world } = this.needs;
    try {
      if (!(await owners.owns(this.caller.environment.id, runIdOfToken(x)))) return "again";
      return (await reports.record(x, items)) === "recorded" ? "ack" : "stale";
    } catch (error) {
      world.log.debug("streamed reports could not be recorded; the app will post them", { error });
      return "again";
    }
  }

  #answered(size: number): void {
    this.#unanswered -= size;
    if (this.socket.isPaused && this.#unanswered <= MOST_UNANSWERED) this.socket.resume();
    if (this.#isClosing && this.#unanswered === 0) this.#end();
  }

  /** Answers of one turn, as those of a batch are, leave in one write. */
  #send(text: string, left: () => void = () => {}): void {
    if (this.socket.readyState !== this.socket.OPEN) {
      left();
      return;
    }
    const { wire } = this.caller;
    if (!this.#isCorked) {
      this.#isCorked = true;
      wire.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        wire.uncork();
      });
    }
    this.socket.send(text, left);
  }

  #pingLater(): void {
    this.#cancelPing = this.needs.world.after(PING_EVERY_MS, () => {
      // A socket that is not read from answers no pings: it is we who are behind.
      if (!this.#alive && !this.socket.isPaused) return this.socket.terminate();
      this.#alive = false;
      if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
      this.#pingLater();
    });
  }
}

/** A report that cannot be read is left to the route, if it can be told which one it is; anything else ends the stream. */
function readFrame(text: string): StreamedFrame | (StreamedVerdict & { t: "again" }) | "unreadable" {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "unreadable";
  }
  const frame = streamedFrameSchema.safeParse(value);
  if (frame.success) return frame.data;
  const address = streamedAddressSchema.safeParse(value);
  return address.success ? { t: "again", x: address.data.x, n: address.data.n } : "unreadable";
}
