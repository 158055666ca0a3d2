// Room: connect. Reports and ends on their way over one connection: only so many bytes may be under way unanswered, the rest waits here and with it the
// steps that wait for them. Owned by a Session. Promises: times in a frame are right at the moment it is sent, also when it is sent late or again.
import type { AppFrame, ExecutionOutcome, TaskReport } from "@holdfast/protocol";

/** Bytes that may be on their way to a server that does not answer. One frame may go over it. */
const MOST_BYTES = 4 * 1024 * 1024;

/** What must reach the server, over this connection or the next one: reports with their number, or the end. */
export interface Parcel {
  readonly x: string;
  readonly items: TaskReport[];
  /** A report's number; an end has an outcome instead. */
  readonly n: number;
  readonly outcome?: ExecutionOutcome;
  /** When its times were taken, on the monotonic clock. */
  readonly since: number;
  /** Connections it was sent over. */
  sent: number;
}

export class Window {
  readonly #send: (text: string) => void;
  readonly #now: () => number;
  readonly #waiting = new Set<Parcel>();
  readonly #underWay = new Map<Parcel, number>();
  #bytes = 0;

  constructor(send: (text: string) => void, now: () => number) {
    this.#send = send;
    this.#now = now;
  }

  post(parcel: Parcel): void {
    this.#waiting.add(parcel);
    this.#pump();
  }

  /** It was answered, or nobody waits for it any more. */
  settled(parcel: Parcel): void {
    this.#waiting.delete(parcel);
    this.#bytes -= this.#underWay.get(parcel) ?? 0;
    this.#underWay.delete(parcel);
    this.#pump();
  }

  #pump(): void {
    for (const parcel of this.#waiting) {
      if (this.#bytes >= MOST_BYTES) return;
      this.#waiting.delete(parcel);
      const text = JSON.stringify(frameOf(parcel, this.#now() - parcel.since));
      this.#underWay.set(parcel, text.length);
      this.#bytes += text.length;
      parcel.sent += 1;
      this.#send(text);
    }
  }
}

/** @param late milliseconds since its times were taken */
function frameOf({ x, n, items, outcome }: Parcel, late: number): AppFrame {
  const reports = late < 1 ? items : items.map((item) => shifted(item, late));
  if (!outcome) return { t: "report", x, n, items: reports };
  if (outcome.status !== "SUSPENDED" || outcome.wakeMs === undefined) return { t: "end", x, items: reports, outcome };
  return { t: "end", x, items: reports, outcome: { ...outcome, wakeMs: Math.max(0, outcome.wakeMs - late) } };
}

function shifted(item: TaskReport, late: number): TaskReport {
  const { startedAgo, endedAgo, delayMs } = item;
  return {
    ...item,
    startedAgo: startedAgo + late,
    ...(endedAgo === undefined ? {} : { endedAgo: endedAgo + late }),
    ...(delayMs === undefined ? {} : { delayMs: Math.max(0, delayMs - late) }),
  };
}
