// Room: testing. The real Execution with the test's hand in it: answers mocked tasks, and notes each task under the text of its cacheKey. Made by TestRun.
import type { ExecutionStart } from "@holdfast/protocol";
import type { IO } from "../io/io.ts";
import type { IOTask } from "../io/task.ts";
import { Execution } from "../replay/execution.ts";
import { type CacheKey, keyShown } from "../replay/key.ts";
import type { Reporter } from "../replay/outbox.ts";
import type { Work } from "../replay/work.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { fittingOutput } from "./answers.ts";
import type { Mocks } from "./mocks.ts";

export interface Hand {
  mocks: Mocks;
  /** A task's callback has returned or thrown, and nobody knows yet. */
  performed: (key: string, path: string) => void;
  /** How the output of each task is read, by path. */
  reads: Map<string, unknown>;
}

export class TestedExecution extends Execution {
  readonly #hand: Hand;

  constructor(start: ExecutionStart, reporter: Reporter, { runtime, hand }: { runtime: Runtime; hand: Hand }) {
    super(start, reporter, runtime);
    this.#hand = hand;
  }

  override runTask<T>(cacheKey: CacheKey, work: Work<T>): Promise<T> {
    const key = keyShown(cacheKey);
    const path = this.#pathOf(key);
    const { parseOutput } = work.options;
    this.#hand.reads.set(path, parseOutput);
    const mock = this.#hand.mocks.find(key, path);
    const shown = { ...work.options, displayKey: key };
    if (mock) {
      const options = { ...shown, noop: false, delayUntil: undefined };
      const callback = async (task: IOTask) => fittingOutput(await mock(task), parseOutput, this.runtime.now()) as T;
      return super.runTask(cacheKey, { callback: this.#noted(callback, key, path), options, onError: work.onError });
    }
    return super.runTask(cacheKey, { ...work, options: shown, callback: this.#noted(work.callback, key, path) });
  }

  #noted<T>(callback: Work<T>["callback"], key: string, path: string): Work<T>["callback"] {
    return async (task: IOTask, io: IO) => {
      try {
        return await callback(task, io);
      } finally {
        this.#hand.performed(key, path);
      }
    };
  }

  #pathOf(key: string): string {
    const parents: string[] = [];
    for (let frame = this.caller(); frame; frame = frame.parent) parents.unshift(frame.displayKey ?? "");
    return [...parents, key].join("/");
  }
}
