// Room: store. News between servers over LISTEN/NOTIFY, on one connection of its own. Listeners of this server hear a message at once; the other servers
// hear it in the next turn or, right after other news, a few milliseconds later, merged with what was said meanwhile; news for dashboards always waits a
// little. Called by dispatch, runs, ingest, deliver (publish) and worker, registry, http, deliver (subscribe).
// Promises nothing about arrival: every listener also polls. After a lost connection it says "catalog" once, for what may have been missed.
import type { Cancel, World } from "../../platform/world.ts";
import type { Bus, BusMessage } from "../store.ts";
import { persist } from "./failures.ts";
import type { Link } from "./link.ts";
import { statement } from "./statements.ts";

const CHANNEL = "holdfast";
/** A payload of NOTIFY is shorter than 8,000 bytes. */
const MOST_BYTES = 7_500;
/** Between two of them. What comes after a silence is told at once: somebody waits for it. */
const PAUSE_MS = 5;
/** Dashboards need no more. */
const LIVE_PAUSE_MS = 25;
const RECONNECT_MS = 500;

export class PostgresBus implements Bus {
  readonly #listeners = new Set<(message: BusMessage) => void>();
  #queues = new Set<string>();
  #catalog = false;
  /** A sender waits for each: told one by one. */
  #questions: BusMessage[] = [];
  #live = new Map<string, BusMessage>();
  #cancelSend: Cancel = () => {};
  #sendAt = Number.POSITIVE_INFINITY;
  #sentAt = Number.NEGATIVE_INFINITY;
  #cancelReconnect: Cancel = () => {};
  #listening = false;
  #closed = false;

  constructor(
    private readonly link: Link,
    private readonly world: World,
    /** Tells this server's own notifications from others'. */
    private readonly origin: string,
  ) {}

  publish(message: BusMessage): void {
    this.#tell(message);
    if (message.type === "work") for (const queue of message.queues) this.#queues.add(queue);
    else if (message.type === "catalog") this.#catalog = true;
    else if (message.type !== "live") this.#questions.push(message);
    else this.#live.set(subjectOf(message), message);
    const now = this.world.monotonic();
    this.#sendBy(message.type === "live" ? now + LIVE_PAUSE_MS : Math.max(now, this.#sentAt + PAUSE_MS));
  }

  subscribe(listener: (message: BusMessage) => void): () => void {
    this.#listeners.add(listener);
    if (!this.#listening) this.#listen();
    return () => void this.#listeners.delete(listener);
  }

  #tell(message: BusMessage): void {
    for (const listener of this.#listeners) {
      try {
        listener(message);
      } catch (error) {
        this.world.log.error("a listener of the bus failed", { error });
      }
    }
  }

  #sendBy(at: number): void {
    if (this.#closed || at >= this.#sendAt) return;
    this.#cancelSend();
    this.#sendAt = at;
    const ms = at - this.world.monotonic();
    if (ms > 0) this.#cancelSend = this.world.after(ms, () => this.#send());
    // A timer would take a millisecond.
    else this.world.turn(() => this.#send());
  }

  #send(): void {
    if (this.#closed) return;
    this.#sentAt = this.world.monotonic();
    this.#sendAt = Number.POSITIVE_INFINITY;
    const messages: BusMessage[] = [...this.#live.values(), ...this.#questions];
    if (this.#catalog) messages.push({ type: "catalog" });
    if (this.#queues.size > 0) messages.push({ type: "work", queues: [...this.#queues] });
    this.#queues = new Set();
    this.#catalog = false;
    this.#live = new Map();
    this.#questions = [];
    for (const payload of payloadsOf(this.origin, messages)) {
      this.link.query(statement("notify"), [CHANNEL, payload]).catch((error: unknown) => {
        this.world.log.debug("a notification was not sent", { error });
      });
    }
  }

  #listen(): void {
    this.#listening = true;
    this.#subscribeToChannel().catch(() => this.#listenAgain());
  }

  async #subscribeToChannel(): Promise<void> {
    const client = await persist(this.world, 60_000, () => this.link.client());
    client.on("notification", ({ payload }) => this.#hear(payload ?? ""));
    client.once("end", () => this.#listenAgain());
    await this.link.send(client, { name: "", text: `listen ${CHANNEL}` });
  }

  #listenAgain(): void {
    if (this.#closed || !this.#listening) return;
    this.#listening = false;
    this.#cancelReconnect = this.world.after(RECONNECT_MS, () => {
      if (this.#closed || this.#listening) return;
      this.#listen();
      this.#tell({ type: "catalog" });
    });
  }

  #hear(payload: string): void {
    // PostgreSQL tells the one who notified, too.
    if (payload.startsWith(headOf(this.origin))) return;
    try {
      const { messages } = JSON.parse(payload) as { messages: BusMessage[] };
      for (const message of messages) this.#tell(message);
    } catch {
      this.world.log.debug("a notification could not be read", { length: payload.length });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelSend();
    this.#cancelReconnect();
    await this.link.close();
  }
}

/** How a payload begins, by which its sender is known without reading the rest. */
function headOf(origin: string): string {
  return `{"from":${JSON.stringify(origin)}`;
}

/** What live news is about: of what was said of one thing meanwhile the last is told. */
function subjectOf({ environmentId, message }: BusMessage & { type: "live" }): string {
  const about = message.type === "apps" ? "" : message.type === "tasks" ? message.runId : message.id;
  return `${environmentId} ${message.type} ${about}`;
}

/** Packs messages into payloads short enough for NOTIFY. */
export function payloadsOf(from: string, messages: BusMessage[]): string[] {
  const payloads: string[] = [];
  let texts: string[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (texts.length > 0) payloads.push(`${headOf(from)},"messages":[${texts.join(",")}]}`);
    texts = [];
    bytes = 0;
  };
  for (const message of messages.flatMap(smallEnough)) {
    const text = JSON.stringify(message);
    if (bytes + Buffer.byteLength(text) + 1 > MOST_BYTES) flush();
    texts.push(text);
    bytes += Buffer.byteLength(text) + 1;
  }
  flush();
  return payloads;
}

const QUEUES_AT_ONCE = 100;

function smallEnough(message: BusMessage): BusMessage[] {
  if (message.type !== "work") return Buffer.byteLength(JSON.stringify(message)) <= MOST_BYTES ? [message] : [];
  const parts: BusMessage[] = [];
  for (let i = 0; i < message.queues.length; i += QUEUES_AT_ONCE) {
    parts.push({ type: "work", queues: message.queues.slice(i, i + QUEUES_AT_ONCE) });
  }
  return parts;
}
