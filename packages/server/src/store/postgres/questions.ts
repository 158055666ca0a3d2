// Room: store. Questions that one server asks an app connected to another, and their answers. Made by postgres-store.ts; called by execute/elsewhere.ts.
import type { World } from "../../platform/world.ts";
import type { QuestionState, QuestionStore } from "../question-rows.ts";
import { persist } from "./failures.ts";
import type { Link } from "./link.ts";
import type { DbRow } from "./rows.ts";
import { statement } from "./statements.ts";

/** A sender waits meanwhile. */
const PATIENCE_MS = 5_000;

export class PostgresQuestions implements QuestionStore {
  constructor(
    private readonly link: Link,
    private readonly world: World,
  ) {}

  #rows(name: string, values: unknown[]): Promise<DbRow[]> {
    return persist(this.world, PATIENCE_MS, () => this.link.query<DbRow>(statement(name), values));
  }

  async ask({ id, appId, text, askedAt }: { id: string; appId: string; text: string; askedAt: number }): Promise<void> {
    await this.#rows("ask-question", [id, appId, Buffer.from(text), askedAt]);
  }

  async take(id: string): Promise<string | null> {
    const [row] = await this.#rows("take-question", [id]);
    return row ? (row.question as Buffer).toString() : null;
  }

  async answer(id: string, text: string): Promise<void> {
    await this.#rows("answer-question", [id, Buffer.from(text)]);
  }

  async state(id: string): Promise<QuestionState | null> {
    const [row] = await this.#rows("question", [id]);
    if (!row) return null;
    const answer = row.answer as Buffer | null;
    return { isTaken: row.is_taken as boolean, answerText: answer === null ? null : answer.toString() };
  }

  async drop(id: string): Promise<void> {
    await this.#rows("drop-question", [id]);
  }

  async forget(before: number): Promise<void> {
    await this.#rows("forget-questions", [before]);
  }
}
