// Room: store. Reads by id that are asked for in one turn of the event loop and answered by one statement, as when thousands of runs wake at once: their
// events, and the first pages of their tasks. Called by reads.ts.
// Promises: a lone read waits for nobody; what is in memory at once is bounded.

interface Asked<Answer> {
  id: string;
  resolve(answer: Answer | undefined): void;
  reject(error: unknown): void;
}

export class Gathering<Group extends object, Answer> {
  #waiting = new Map<string, { group: Group; asked: Asked<Answer>[] }>();

  /**
   * @param atOnce ids one statement reads
   * @param read answers by id; of one group: what else the statement depends on, equal when its JSON is
   */
  constructor(
    private readonly atOnce: number,
    private readonly read: (group: Group, ids: string[]) => Promise<ReadonlyMap<string, Answer>>,
  ) {}

  /** Undefined where nothing is found. */
  ask(group: Group, id: string): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) setImmediate(() => this.#readAll());
      const key = JSON.stringify(group);
      const gathered = this.#waiting.get(key) ?? { group, asked: [] };
      gathered.asked.push({ id, resolve, reject });
      this.#waiting.set(key, gathered);
    });
  }

  #readAll(): void {
    const gathered = [...this.#waiting.values()];
    this.#waiting = new Map();
    for (const { group, asked } of gathered) {
      for (let i = 0; i < asked.length; i += this.atOnce) void this.#readSome(group, asked.slice(i, i + this.atOnce));
    }
  }

  async #readSome(group: Group, asked: Asked<Answer>[]): Promise<void> {
    try {
      const answers = await this.read(group, [...new Set(asked.map(({ id }) => id))]);
      for (const { id, resolve } of asked) resolve(answers.get(id));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
