// Room: store. Questions to connected apps that wait for an answer while a sender does, where the app is connected to another server than the one asked. Beside
// the store, for servers that share a database; one that is lost is asked again by whoever sent the request.

export interface QuestionState {
  /** A server has it in hand. */
  isTaken: boolean;
  answerText: string | null;
}

export interface QuestionStore {
  ask(question: { id: string; appId: string; text: string; askedAt: number }): Promise<void>;
  /** Takes it into hand: its text, for one server only; null for all others, and when nobody waits any more. */
  take(id: string): Promise<string | null>;
  answer(id: string, text: string): Promise<void>;
  state(id: string): Promise<QuestionState | null>;
  drop(id: string): Promise<void>;
  /** Drops those asked before then, whose askers are gone. */
  forget(before: number): Promise<void>;
}
