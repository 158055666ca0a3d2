// Bench of peers: `npm run bench -- --peers`. Installs the peers, measures them and us in turns (A B C A B C …), each round of each in processes of its own,
// with the machine's raw limits before every turn, and answers the medians. Called by bench.ts.
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { startProgram } from "../../tests/harness/processes.ts";
import { type Figure, medians } from "../figure.ts";
import { rawLimits } from "../raw-limits.ts";
import { startPeerDatabase } from "./database.ts";
import { type Comparison, overRounds, type PeerResult, type Round } from "./figures.ts";
import { KINDS } from "./kinds.ts";
import type { PeerKind } from "./peer.ts";
import { install, VERSIONS } from "./versions.ts";

const ROUND = fileURLToPath(new URL("./round.ts", import.meta.url));
const LONGEST_MS = 300_000;

export interface CompareOptions {
  rounds: number;
  /** Names of peers; all when undefined. */
  only: readonly string[] | undefined;
  log(line: string): void;
}

export async function comparePeers({ rounds, only, log }: CompareOptions): Promise<Comparison> {
  const chosen = chosenKinds(only);
  const [load = 0] = loadavg();
  const runnable = chosen.filter(([, kind]) => kind.missing?.() === undefined);
  log("installing the peers …");
  const packages = await install(runnable.flatMap(([, kind]) => kind.packages));
  const limits: Figure[][] = [];
  const results = new Map<string, Round[]>(chosen.map(([name]) => [name, []]));
  for (let turn = 1; turn <= rounds; turn++) {
    limits.push(await limitsNow());
    for (const [name, kind] of chosen) {
      const missing = kind.missing?.();
      const from = performance.now();
      const round = missing ? failed("start", `skipped: ${missing}`) : await roundOf(name, packages);
      results.get(name)?.push(round);
      const failures = round.failures.map(({ workload, reason }) => `; ${workload} failed: ${reason}`).join("");
      log(`round ${turn} of ${rounds}: ${kind.name}, ${((performance.now() - from) / 1000).toFixed(0)} s${failures}`);
    }
  }
  const peers = chosen.map(([name, kind]) => resultOf(kind, results.get(name) ?? []));
  const machine = `${cpus().length} cores, Node ${process.versions.node}; load before it began: ${load.toFixed(1)}`;
  return { machine, rounds, limits: medians(limits), peers };
}

function chosenKinds(only: readonly string[] | undefined): [string, PeerKind][] {
  const names = only ?? Object.keys(KINDS);
  return names.map((name) => {
    const kind = KINDS[name];
    if (!kind) throw new Error(`There is no peer "${name}"; there are ${Object.keys(KINDS).join(", ")}.`);
    return [name, kind];
  });
}

async function limitsNow(): Promise<Figure[]> {
  const database = await startPeerDatabase();
  const limits = await rawLimits(database.directory, database.connection);
  await database.stop();
  return limits;
}

const failed = (workload: string, reason: string): Round => ({ figures: {}, curve: [], failures: [{ workload, reason }] });

/** The last result the process said; a failure of its own when it said none or had to be stopped. */
async function roundOf(name: string, packages: string): Promise<Round> {
  const program = startProgram(["--import", "tsx", ROUND, name, packages]);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    program.signal("SIGTERM");
  }, LONGEST_MS);
  await program.exited;
  clearTimeout(timer);
  const last = program
    .stdout()
    .split("\n")
    .findLast((line) => line.startsWith("result "));
  const round = last ? (JSON.parse(last.slice("result ".length)) as Round) : failed("start", program.output().slice(-500));
  if (late) round.failures.push({ workload: "the round", reason: `it did not end within ${LONGEST_MS / 1000} s` });
  return round;
}

function resultOf(kind: PeerKind, rounds: readonly Round[]): PeerResult {
  const { name, steps, sleepsInside, records, settings } = kind;
  const version = kind.packages[0] ? (VERSIONS[kind.packages[0]] ?? "") : "this checkout";
  return { name, version, steps, sleepsInside, records, settings, ...overRounds(rounds) };
}
