// Simulation: what every part of one simulation shares: time, history, chance by name, and how bad the faults are just now.
import { Chance } from "./chance.ts";
import { type Fact, History } from "./history.ts";
import { type Actor, Timeline } from "./timeline.ts";

/** Probabilities of one seed; a random part of them is zero (swarm testing). All are zero once the simulation heals. */
export interface Faults {
  /** A store operation: fails before it is applied. */
  storeFails: number;
  /** Is applied, and its answer lost. */
  storeSilent: number;
  /** Is applied twice, as by a retry after an unknown outcome. */
  storeTwice: number;
  /** Is given up by the caller, and applied seconds later all the same. */
  storeLate: number;
  storeSlow: number;
  /** A request between two programs: never arrives. */
  requestLost: number;
  /** Arrives, and its answer is lost. */
  answerLost: number;
  requestTwice: number;
  /** A frame of a connection arrives twice; only kinds whose loss of an answer makes them be sent again. */
  frameTwice: number;
  frameSlow: number;
  /** News between servers. */
  newsLost: number;
}

export const NO_FAULTS: Faults = {
  storeFails: 0,
  storeSilent: 0,
  storeTwice: 0,
  storeLate: 0,
  storeSlow: 0,
  requestLost: 0,
  answerLost: 0,
  requestTwice: 0,
  frameTwice: 0,
  frameSlow: 0,
  newsLost: 0,
};

/** Epoch milliseconds at which virtual time is 0. */
export const EPOCH = Date.UTC(2026, 0, 1);

export class Scene {
  readonly timeline = new Timeline();
  readonly history = new History();
  faults: Faults = NO_FAULTS;
  readonly #streams = new Map<string, Chance>();
  /** How often each named place was passed, and how often a process died there. */
  readonly points = new Map<string, { passed: number; died: number }>();

  constructor(readonly seed: number) {}

  /** The stream of chance of that name. */
  chance(name: string): Chance {
    const known = this.#streams.get(name);
    if (known) return known;
    const made = new Chance(this.seed, name);
    this.#streams.set(name, made);
    return made;
  }

  get now(): number {
    return this.timeline.now;
  }

  note(by: Actor | string, fact: Fact): void {
    if (typeof by !== "string" && !by.alive) return;
    this.history.add(this.now, typeof by === "string" ? by : by.name, fact);
  }

  /** True, now and then, as the present faults have it. */
  strikes(fault: keyof Faults, stream: Chance): boolean {
    const probability = this.faults[fault];
    return probability > 0 && stream.happens(probability);
  }
}
