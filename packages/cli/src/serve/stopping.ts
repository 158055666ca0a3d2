// Room: serve. When a long-running command has to end. Called by `dev` and `start`.
// Promise: the first signal asks to stop, a second Ctrl-C leaves at once; SIGTERM, a closed terminal and the end of
// the program that started us end well, Ctrl-C ends as interrupted.
import { EXIT } from "../output/exit-codes.ts";
import type { Output } from "../output/output.ts";
import type { CliWorld } from "../platform/world.ts";

export interface Stopping {
  /** Resolves with the exit code once somebody asked to stop. */
  readonly asked: Promise<number>;
  readonly signal: AbortSignal;
  /** Asks to stop from inside. Only the first ask counts. */
  ask(exit: number): void;
  /** Stops listening for signals. */
  end(): void;
}

export function stopOnSignals(world: CliWorld, output: Output): Stopping {
  const controller = new AbortController();
  let settle: (exit: number) => void = () => {};
  const asked = new Promise<number>((resolve) => {
    settle = resolve;
  });
  const ask = (exit: number) => {
    controller.abort();
    settle(exit);
  };
  const interrupt = () => {
    if (controller.signal.aborted) return world.exit(EXIT.interrupted);
    output.note("Stopping; Ctrl-C again leaves at once.");
    ask(EXIT.interrupted);
  };
  const quiet = [
    world.onSignal("SIGINT", interrupt),
    world.onSignal("SIGTERM", () => ask(EXIT.ok)),
    world.onSignal("SIGHUP", () => ask(EXIT.ok)),
    world.onAlone(() => ask(EXIT.ok)),
  ];
  const end = () => {
    for (const each of quiet) each();
  };
  return { asked, signal: controller.signal, ask, end };
}
