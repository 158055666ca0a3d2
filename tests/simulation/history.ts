// Simulation: what happened, as seen from outside the code under test: the sender's log, the apps' own logs, what the store answered, and the faults.
// The judge reads nothing else but this and a snapshot of the store at the end. Its hash says whether two simulations were the same.
import { createHash } from "node:crypto";

/** What became of one run, event or task, in whose eyes. Times are virtual milliseconds. */
export type Fact =
  // The senders.
  | { what: "sent"; event: string; jobs: readonly string[]; notBefore: number }
  | { what: "answered"; event: string; verdict: "stored" | "refused" }
  | { what: "cancel asked" | "canceled"; run: string }
  // The apps. `token` names the execution in which it happened.
  | { what: "entered"; run: string; token: string; job: string; event: string }
  | { what: "started"; run: string; token: string; task: string; attempt: number; key: string }
  | { what: "acknowledged"; run: string; token: string; task: string; output: string }
  | { what: "waits"; run: string; token: string; task: string; ms: number }
  | { what: "resumed"; run: string; token: string; task: string }
  | { what: "returned"; run: string; token: string; output: string }
  // The store.
  /** Decided at `now` of the server's clock, for `until`. */
  | { what: "claimed"; run: string; token: string; owner: string; now: number; until: number }
  /** `carried`: with a change, which may have found it final already. */
  | { what: "recorded"; run: string; token: string | null; key: string; status: string; attempt: number; carried: boolean }
  | { what: "changed"; run: string; revision: number; state: string }
  | { what: "renewed" | "adopted"; token: string; owner: string; until: number }
  | { what: "released"; owners: readonly string[]; until: number }
  // The wire: what an app sent, and what reached it. `keys`: task, status and attempt of each report.
  | { what: "reported"; token: string; n: number; keys: readonly string[] }
  | { what: "received"; token: string; n: number }
  | { what: "reclaimed"; token: string; held: boolean }
  // Faults, restarts and what the servers logged: for people who read a history.
  | { what: "fault"; message: string };

export type Entry = Fact & { at: number; by: string };

export class History {
  readonly entries: Entry[] = [];

  add(at: number, by: string, fact: Fact): void {
    this.entries.push({ at, by, ...fact });
  }

  /** Names the whole course of a simulation. */
  hash(): string {
    const digest = createHash("sha256");
    for (const entry of this.entries) digest.update(`${JSON.stringify(entry)}\n`);
    return digest.digest("hex").slice(0, 16);
  }

  /** Lines about one run (or all), for people. */
  lines(about?: string): string[] {
    const wanted = this.entries.filter((entry) => about === undefined || JSON.stringify(entry).includes(about));
    return wanted.map(
      ({ at, by, what, ...rest }) => `${at.toFixed(3).padStart(11)} ${by.padEnd(9)} ${what} ${JSON.stringify(rest)}`,
    );
  }
}
