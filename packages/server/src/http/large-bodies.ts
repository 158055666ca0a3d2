// Room: http. Large bodies are read only while few others are, and then take turns: each is in memory several times while it is parsed and stored, and a crowd
// of them done all at once is done by nobody in time. Called by app.ts for routes, and by ingest-handler.ts for webhooks. Promises: what waits is bounded, in
// bytes and in time; small bodies never wait; a sender that is slow, or an answer that is, keeps others out for a few seconds at most.
import { UserFacingError } from "@holdfast/protocol";
import type { World } from "../platform/world.ts";

/** Smaller ones cost what any request does. */
const LARGE_BYTES = 256 * 1024;
/** In hand at once. */
const MOST_IN_HAND = 48 * 1024 * 1024;
/** Waiting for their turn. */
const MOST_WAITING = 256 * 1024 * 1024;
/** Being read or waiting, as far as senders say beforehand how much they send: about what is stored within PATIENCE_MS. */
const MOST_ADMITTED = 128 * 1024 * 1024;
const PATIENCE_MS = 8_000;
/** A request that goes on for longer, as one that waits for its run's end, is no longer about its body; one that is read for longer takes up little of us. */
const LONGEST_MS = 5_000;

interface Waiting {
  bytes: number;
  go: () => void;
}

export class LargeBodies {
  #inHand = 0;
  #reading = 0;
  #waitingBytes = 0;
  #waiting: Waiting[] = [];

  constructor(private readonly world: Pick<World, "after">) {}

  /**
   * Reads a body of so many bytes, unless by all appearance it could not be stored in time: then its sender is told before it has sent it.
   *
   * @throws UserFacingError OVERLOADED when too much is being read or waits
   */
  async reading<T>(declared: number, read: () => Promise<T>): Promise<T> {
    if (declared < LARGE_BYTES) return read();
    const before = this.#reading + this.#waitingBytes;
    if (before > 0 && before + declared > MOST_ADMITTED) throw overloaded();
    this.#reading += declared;
    return this.#counted(read, () => {
      this.#reading -= declared;
    });
  }

  /**
   * Does what is to be done with a body of so many bytes, once it is its turn.
   *
   * @throws UserFacingError OVERLOADED when too much waits, or it waited for too long
   */
  async inTurn<T>(bytes: number, act: () => Promise<T>): Promise<T> {
    if (bytes < LARGE_BYTES) return act();
    await this.#turn(bytes);
    return this.#counted(act, () => {
      this.#inHand -= bytes;
      this.#next();
    });
  }

  /** Calls `over` once, when it is done or has taken LONGEST_MS. */
  async #counted<T>(act: () => Promise<T>, over: () => void): Promise<T> {
    let isOver = false;
    const end = (): void => {
      cancel();
      if (!isOver) over();
      isOver = true;
    };
    const cancel = this.world.after(LONGEST_MS, end);
    try {
      return await act();
    } finally {
      end();
    }
  }

  async #turn(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) {
      this.#inHand += bytes;
      return;
    }
    if (this.#waitingBytes + bytes > MOST_WAITING) throw overloaded();
    await new Promise<void>((resolve, reject) => {
      const cancel = this.world.after(PATIENCE_MS, () => {
        this.#leave(waiting);
        reject(overloaded());
        this.#next();
      });
      const waiting: Waiting = {
        bytes,
        go: () => {
          cancel();
          resolve();
        },
      };
      this.#waiting.push(waiting);
      this.#waitingBytes += bytes;
    });
  }

  /** One alone always has room, however large. */
  #hasRoom(bytes: number): boolean {
    return this.#inHand === 0 || this.#inHand + bytes <= MOST_IN_HAND;
  }

  #next(): void {
    for (let [first] = this.#waiting; first && this.#hasRoom(first.bytes); [first] = this.#waiting) {
      this.#leave(first);
      this.#inHand += first.bytes;
      first.go();
    }
  }

  #leave(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((one) => one !== waiting);
    this.#waitingBytes -= waiting.bytes;
  }
}

function overloaded(): UserFacingError {
  return new UserFacingError(
    "OVERLOADED",
    "Too many large requests at once.",
    "Nothing was stored; send it again in a few seconds.",
  );
}
