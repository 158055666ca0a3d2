// Simulation: the faults that hit whole processes and connections: crashes at any time and at named places, pauses longer than a lease, broken and mute
// connections, rolling restarts. Restarts what died. Everything is drawn from chance, and each seed leaves a random part of it out.
import type { SimulatedApp } from "./app.ts";
import type { Chance } from "./chance.ts";
import type { Network } from "./network.ts";
import { type Faults, NO_FAULTS, type Scene } from "./scene.ts";
import type { SimulatedServer } from "./server.ts";

/** The worst each probability gets. */
const WORST: Faults = {
  storeFails: 0.05,
  storeSilent: 0.05,
  storeTwice: 0.15,
  storeLate: 0.02,
  storeSlow: 0.1,
  requestLost: 0.2,
  answerLost: 0.2,
  requestTwice: 0.3,
  frameTwice: 0.2,
  frameSlow: 0.05,
  newsLost: 0.8,
};
const STRIKES = [
  "crash",
  "crash",
  "pause",
  "pause",
  "cut",
  "cut",
  "reset",
  "reset",
  "reset",
  "mute",
  "restart",
  "clock",
] as const;
type Process = SimulatedServer | SimulatedApp;

/** Kills the process that passes the named place for the `nth` time. */
interface Trap {
  kind: "server" | "app";
  point: string;
  nth: number;
}

const PLACES: readonly Omit<Trap, "nth">[] = [
  ...["intake", "claim", "recordTask", "changeRun", "renew", "adopt"].flatMap((name) => [
    { kind: "server" as const, point: `${name} sent` },
    { kind: "server" as const, point: `${name} answered` },
  ]),
  ...["execute", "ack", "ended", "stale", "verify", "welcome", "resumed", "draining"].map((name) => ({
    kind: "server" as const,
    point: `frame ${name}`,
  })),
  ...["report", "end", "hello", "reply", "moved"].map((name) => ({ kind: "app" as const, point: `app frame ${name}` })),
  { kind: "app", point: "task started" },
  { kind: "app", point: "app posts report" },
  { kind: "app", point: "app answers" },
];

export class Nemesis {
  readonly #chance: Chance;
  #traps: Trap[] = [];
  /** By how many milliseconds servers' clocks were set wrong. */
  readonly #steps = new Map<SimulatedServer, number>();
  #healed = false;

  constructor(
    private readonly scene: Scene,
    private readonly cast: { servers: readonly SimulatedServer[]; apps: readonly SimulatedApp[]; network: Network },
  ) {
    this.#chance = scene.chance("nemesis");
  }

  start(process: Process): void {
    const kind = this.#isServer(process) ? "server" : "app";
    process.start(
      (point) => this.#passed(process, kind, point),
      () => this.#crash(process, "while starting"),
    );
  }

  /** Draws this seed's faults, to strike within `ms`. */
  plan(ms: number): void {
    const chance = this.#chance;
    const drawn = Object.entries(WORST).map(([name, worst]) => [name, chance.happens(0.5) ? 0 : chance.within(0, worst)]);
    this.scene.faults = Object.fromEntries(drawn) as unknown as Faults;
    this.#traps = Array.from({ length: chance.between(0, 4) }, () => ({ ...chance.pick(PLACES), nth: chance.between(1, 12) }));
    for (let i = chance.between(0, 8); i > 0; i--) {
      const strike = chance.pick(STRIKES);
      this.scene.timeline.after(chance.within(200, ms), null, () => this.#strike(strike));
    }
  }

  /** From now on nothing fails; what is down comes up. */
  heal(): void {
    this.#healed = true;
    this.#traps = [];
    this.scene.faults = NO_FAULTS;
    this.scene.note("nemesis", { what: "fault", message: "healed" });
    for (const [{ setting }, ms] of this.#steps) setting.skew -= ms;
    for (const { actor } of [...this.cast.servers, ...this.cast.apps]) if (actor.paused) this.scene.timeline.resume(actor);
  }

  #isServer(process: Process): process is SimulatedServer {
    return "core" in process;
  }

  #passed(process: Process, kind: Trap["kind"], point: string): void {
    const known = this.scene.points.get(point) ?? { passed: 0, died: 0 };
    this.scene.points.set(point, { ...known, passed: known.passed + 1 });
    const trap = this.#traps.find((one) => one.kind === kind && one.point === point && --one.nth === 0);
    if (!trap) return;
    this.scene.points.set(point, { passed: known.passed + 1, died: known.died + 1 });
    this.#crash(process, `at ${point}`);
  }

  #crash(process: Process, why: string): void {
    const { actor } = process;
    if (!actor.alive) return;
    this.scene.note(actor, { what: "fault", message: `died ${why}` });
    if (this.#isServer(process)) process.crash();
    actor.alive = false;
    this.#gone(process);
  }

  /** A process has ended, by itself or not: its peers notice, and it is started again. */
  #gone(process: Process): void {
    this.cast.network.died(process.actor);
    this.scene.timeline.after(this.#chance.within(50, 6_000), null, () => {
      if (!process.actor.alive) this.start(process);
    });
  }

  #strike(strike: (typeof STRIKES)[number]): void {
    if (this.#healed) return;
    const process = this.#chance.pick<Process>([...this.cast.servers, ...this.cast.apps]);
    const connections = [...this.cast.network.connections].filter(({ over }) => !over);
    const connection = connections.length > 0 ? this.#chance.pick(connections) : null;
    if (strike === "crash") this.#crash(process, "by chance");
    else if (strike === "pause") this.#pause(process);
    else if (strike === "restart") this.#restart(process);
    else if (strike === "clock") this.#step(this.#chance.pick(this.cast.servers));
    else if (!connection) this.cast.network.breakRequest(this.#chance);
    else {
      this.scene.note("nemesis", {
        what: "fault",
        message: `${strike} ${connection.ends.app.name}–${connection.ends.server.name}`,
      });
      if (strike === "reset") connection.reset();
      else if (strike === "cut") connection.cut("it broke");
      else connection.mute();
    }
  }

  #pause({ actor }: Process): void {
    if (!actor.alive || actor.paused) return;
    this.scene.note(actor, { what: "fault", message: "paused" });
    this.scene.timeline.pause(actor);
    this.scene.timeline.after(this.#chance.pick([300, 16_000, 18_000, 24_000]), null, () => {
      if (!actor.paused) return;
      this.scene.timeline.resume(actor);
      this.scene.note(actor, { what: "fault", message: "goes on" });
    });
  }

  /** Somebody sets a server's wall clock wrong, until the simulation heals. Waits may end early by as much, nothing else may break. */
  #step(server: SimulatedServer): void {
    if (this.#steps.has(server)) return;
    const ms = Math.round(this.#chance.within(-40_000, 40_000));
    server.setting.skew += ms;
    this.#steps.set(server, ms);
    this.scene.note(server.actor, { what: "fault", message: `its clock was set by ${ms} ms` });
  }

  /** The most that two servers' clocks differed by because of it. */
  get stepped(): number {
    return [...this.#steps.values()].reduce((sum, ms) => sum + Math.abs(ms), 0);
  }

  /** A polite stop, as by SIGTERM, and a start. */
  #restart(process: Process): void {
    const { actor } = process;
    if (!actor.alive || actor.paused) return;
    this.scene.note(actor, { what: "fault", message: "asked to stop" });
    const stopped = () => {
      if (actor.alive) this.#crash(process, "having stopped");
    };
    this.scene.timeline.after(0, actor, () => void process.stop().then(stopped, stopped));
  }
}
