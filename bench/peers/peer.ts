// Bench of peers: what every peer is to the workloads. One file a peer implements this; the workloads know nothing else of it.

/** `id` is the bench's own and comes back in what the app tells. */
export type Job =
  | { kind: "noop"; id: string }
  | { kind: "steps"; id: string; steps: number }
  /** @property due milliseconds since 1970 */
  | { kind: "sleep"; id: string; due: number };

/** What an app tells of a job by a line on stdout; times in shared-clock milliseconds. */
export interface Told {
  job: Job["kind"] | "asleep";
  id: string;
  firstStepAt?: number;
  lastStepDoneAt?: number;
  /** Milliseconds of each step. */
  steps?: number[];
  lateMs?: number;
}

/** Roots of the process trees; a tree reaches down to the root of another. */
export interface Processes {
  server: number[];
  database: number[];
  app: number[];
}

/** What a peer has written down, where its store can be asked. */
export interface Written {
  walBytes?: number;
  storedBytes?: number;
  commits?: number;
}

/** A running peer: its server, its database and its app, each a process of its own, none of them the load generator. */
export interface Peer {
  /** Resolves once the peer has answered that the job is durable. */
  submit(job: Job): Promise<void>;
  /** Resolves once a client can see that this job has completed. */
  submitAndWait(job: Job): Promise<void>;
  onTold(listener: (told: Told) => void): void;
  /** The end of what its app complained about; empty when nothing. */
  complaints(): string;
  /** Jobs not completed yet, by the peer's own record. */
  open(): Promise<number>;
  /** Jobs completed since the start, by the peer's own record; undefined when it keeps none of them. */
  completed(): Promise<number | undefined>;
  processes(): Processes;
  written(): Promise<Written>;
  stop(): Promise<void>;
}

/** How a peer takes "a step". */
export type StepsBy = "recorded step" | "a job a step" | "a progress write a step";

/** Where things are. */
export interface Home {
  /** Where the peers are installed; `apps/` in it holds their programs. */
  packages: string;
  /** Fresh for each start. */
  data: string;
}

export interface PeerKind {
  name: string;
  /** Registry packages; none for ours. */
  packages: readonly string[];
  steps: StepsBy;
  /** True when a sleeper is a run that sleeps, false when it is a job submitted with a delay. */
  sleepsInside: boolean;
  /** For the page: what it writes down, and what was set that is no default. */
  records: string;
  settings: string;
  /** Why it cannot run here, or undefined. */
  missing?(): string | undefined;
  start(home: Home): Promise<Peer>;
}
