// For tests of the CLI: a world of plain values that records what was printed, and a fresh folder to work in. Timers and network are the real ones.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CliWorld, StopSignal } from "../platform/world.ts";

export interface TestWorld extends CliWorld {
  readonly printed: { out: string; err: string };
  readonly exits: number[];
  /** What a terminal or an init system would do. */
  raise(signal: StopSignal): void;
  /** Resolves with the value of `look` once it is truthy, or rejects when it was not in time. */
  until<T>(look: () => T): Promise<NonNullable<T>>;
  remove(): void;
}

export interface TestWorldOptions {
  env?: Record<string, string | undefined>;
  stdin?: string;
  /** What the person at the terminal says; without it there is nobody. */
  answer?: string;
  terminal?: boolean;
  nodeVersion?: string;
}

export function testWorld(options: TestWorldOptions = {}): TestWorld {
  const cwd = mkdtempSync(join(tmpdir(), "holdfast-cli-"));
  const printed = { out: "", err: "" };
  const exits: number[] = [];
  const listeners = new Map<StopSignal, Set<() => void>>();
  const raise = (signal: StopSignal) => {
    for (const act of [...(listeners.get(signal) ?? [])]) act();
  };
  return {
    env: options.env ?? {},
    cwd,
    pid: process.pid,
    nodeVersion: options.nodeVersion ?? process.versions.node,
    terminal: options.terminal ?? false,
    fetch: (input, init) => fetch(input, init),
    printed,
    exits,
    raise,
    out(text) {
      printed.out += text;
    },
    err(text) {
      printed.err += text;
    },
    readStdin: async () => options.stdin ?? "",
    ask: async () => options.answer,
    now: () => Date.now(),
    after(ms, act) {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
    random: (bytes) => new Uint8Array(bytes).fill(7),
    onSignal(signal, act) {
      const acts = listeners.get(signal) ?? new Set();
      listeners.set(signal, acts.add(act));
      return () => void acts.delete(act);
    },
    onAlone: () => () => {},
    exit: (code) => void exits.push(code),
    until: (look) => until(look, printed),
    remove: () => rmSync(cwd, { recursive: true, force: true }),
  };
}

async function until<T>(look: () => T, printed: { out: string; err: string }): Promise<NonNullable<T>> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const value = look();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`Not in time: ${look}\nstdout: ${printed.out}\nstderr: ${printed.err}`);
    await new Promise((next) => setTimeout(next, 10));
  }
}
