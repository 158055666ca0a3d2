// Room: testing. What the test says instead of tasks. Read by TestedExecution. Promises: a path wins over a bare key; what was never asked for is told.
import type { IOTask } from "../io/task.ts";

/**
 * What a task gives instead of what it does: a value, an error it fails with, or a function that is called at each attempt and gives or throws either.
 *
 * By cacheKey, parts of a list joined by "-". `"order/charge"` is the task "charge" inside the task "order"; a bare key means it wherever it stands.
 */
export type TaskMocks = Record<string, TaskMock>;
type TaskMock = ((task: IOTask) => unknown) | object | string | number | boolean | null | undefined;
type Answer = (task: IOTask) => Promise<unknown>;

export class Mocks {
  readonly #given: TaskMocks;
  readonly #used = new Set<string>();

  constructor(given: TaskMocks) {
    this.#given = given;
  }

  /** Keys no task has asked for. */
  get unused(): string[] {
    return Object.keys(this.#given).filter((name) => !this.#used.has(name));
  }

  find(key: string, path: string): Answer | undefined {
    const name = [path, key].find((one) => Object.hasOwn(this.#given, one));
    if (name === undefined) return undefined;
    this.#used.add(name);
    return async (task) => {
      const given: unknown = this.#given[name];
      const answer: unknown = typeof given === "function" ? await given(task) : given;
      if (answer instanceof Error) throw answer;
      return answer;
    };
  }
}
