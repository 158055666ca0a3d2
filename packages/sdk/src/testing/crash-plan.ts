// Room: testing. Where the test kills the app. Asked by RunLoop after each task. Promises: each crash happens once; one that never happened is told.
export interface CrashOptions {
  /**
   * The app is killed once this task is recorded, before the program goes on, and runs the job again: to show that a replay goes the same way. By cacheKey or
   * path; true: after every task.
   */
  crashAfter?: string | readonly string[] | true | undefined;
  /** The app is killed when this task has done its work and before that is recorded: it does it again. To show that it may be done twice. */
  crashDuring?: string | readonly string[] | undefined;
}

export class CrashPlan {
  readonly #after: Set<string>;
  readonly #during: Set<string>;
  readonly #afterAll: boolean;

  constructor({ crashAfter = [], crashDuring = [] }: CrashOptions) {
    this.#afterAll = crashAfter === true;
    this.#after = new Set(crashAfter === true ? [] : [crashAfter].flat());
    this.#during = new Set([crashDuring].flat());
  }

  /** A task has been recorded, for the first time. */
  after(key: string, path: string): boolean {
    return this.#after.delete(path) || this.#after.delete(key) || this.#afterAll;
  }

  /** A task has done its work. */
  during(key: string, path: string): boolean {
    return this.#during.delete(path) || this.#during.delete(key);
  }

  /** Tasks that were never reached. */
  get missed(): string[] {
    return [...this.#after, ...this.#during];
  }
}
