// Bench of peers: a peer's app as a process, and how it is heard.
import { join } from "node:path";
import { type Program, startProgram } from "../../tests/harness/processes.ts";
import type { Told } from "./peer.ts";

export interface App {
  program: Program;
  /** What the app said when it was ready. */
  ready: RegExpMatchArray;
  onTold(listener: (told: Told) => void): void;
  /** The end of what it complained about, for the reason of a failure. */
  complaints(): string;
}

const isComplaint = (line: string): boolean => /error|exception/i.test(line) && !line.startsWith("{");

/** Starts `apps/<name>.mjs` with plain node and waits until it says "ready". */
export async function startPeerApp(directory: string, name: string, env: Record<string, string>): Promise<App> {
  const program = startProgram([join(directory, "apps", `${name}.mjs`)], {
    cwd: directory,
    env: { ...env, NODE_ENV: "production" },
  });
  const listeners: ((told: Told) => void)[] = [];
  let rest = "";
  program.onStdout((chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith('{"job"')) for (const listener of listeners) listener(JSON.parse(line) as Told);
  });
  const onTold = (listener: (told: Told) => void) => void listeners.push(listener);
  const complaints = () => program.output().split("\n").filter(isComplaint).slice(-3).join(" ");
  return { program, ready: await program.says(/ready(?: on (\d+))?\n/), onTold, complaints };
}
