// Room: execute. Questions to an app that is connected to another server, as when a load balancer gives a webhook to whichever: the question goes through the
// database to a server that has the app, and its answer comes back. Called by apps.ts while a sender waits; made by main where servers share a database.
// Promises: one server asks; both hear of it at once over the bus, and look once a second in case its word was lost; an app that nobody has is not waited for.

import type { NoAnswer } from "../ingest/ports.ts";
import type { World } from "../platform/world.ts";
import type { QuestionStore } from "../store/question-rows.ts";
import type { Bus } from "../store/store.ts";
import type { ConnectHub } from "./connect.ts";
import { ANSWER_WITHIN_MS, type Question } from "./connection.ts";

/** Also how long a server may take to take a question up. */
const LOOK_MS = 1_000;
/** How long a server may take to say that it has an app. */
const PRESENT_MS = 300;
/** Questions asked at once; each has a request in memory. */
const MOST_ASKED = 500;
const NOT_CONNECTED: NoAnswer = { type: "no-answer", message: "The app is not connected." };
const TOO_LATE: NoAnswer = { type: "no-answer", message: "The app did not answer in time." };
const TOO_MANY: NoAnswer = { type: "no-answer", message: "Too much is being asked of apps on other servers." };

export type Answer = { value: unknown } | NoAnswer;

export interface ElsewhereNeeds {
  world: Pick<World, "now" | "after" | "newId" | "log">;
  bus: Bus;
  questions: QuestionStore;
  hub: Pick<ConnectHub, "reachable" | "ask">;
}

export class Elsewhere {
  /** What is asked from here, by id: called when there is news. */
  readonly #asked = new Map<string, () => void>();

  constructor(private readonly needs: ElsewhereNeeds) {
    needs.bus.subscribe((news) => {
      if (news.type === "answered" || news.type === "here") this.#asked.get(news.id)?.();
      else if (news.type === "who" && needs.hub.reachable(news.appId)) needs.bus.publish({ type: "here", id: news.id });
      else if (news.type === "ask" && needs.hub.reachable(news.appId)) {
        this.#answer(news).catch((error: unknown) =>
          needs.world.log.warn("an app could not be asked for another server", { error }),
        );
      }
    });
  }

  /** Whether another server has a connection of the app. Best effort: no when nobody says so in time. */
  has(appId: string): Promise<boolean> {
    const { world, bus } = this.needs;
    const id = world.newId("execution");
    return new Promise((resolve) => {
      const tell = (isThere: boolean): void => {
        cancel();
        this.#asked.delete(id);
        resolve(isThere);
      };
      const cancel = world.after(PRESENT_MS, () => tell(false));
      this.#asked.set(id, () => tell(true));
      bus.publish({ type: "who", id, appId });
    });
  }

  /** Asks an app that this server has no connection of. */
  async ask(appId: string, question: Question): Promise<Answer> {
    const { world, bus, questions } = this.needs;
    if (this.#asked.size >= MOST_ASKED) return TOO_MANY;
    const id = world.newId("execution");
    const answered = this.#answerTo(id);
    try {
      await questions.ask({ id, appId, text: JSON.stringify(question), askedAt: world.now() });
      bus.publish({ type: "ask", id, appId });
      return await answered.answer;
    } finally {
      answered.stop();
      questions.drop(id).catch((error: unknown) => world.log.debug("a question could not be dropped", { error }));
    }
  }

  #answerTo(id: string): { answer: Promise<Answer>; stop(): void } {
    const { world, questions } = this.needs;
    const giveUpAt = world.now() + ANSWER_WITHIN_MS + LOOK_MS;
    let cancel = () => {};
    const answer = new Promise<Answer>((resolve, reject) => {
      const look = async (isTime: boolean): Promise<void> => {
        const state = await questions.state(id);
        if (state?.answerText) resolve(JSON.parse(state.answerText) as Answer);
        else if (isTime && !state?.isTaken) resolve(NOT_CONNECTED);
        else if (world.now() >= giveUpAt) resolve(TOO_LATE);
        else if (isTime) later();
      };
      const later = (): void => {
        cancel = world.after(LOOK_MS, () => void look(true).catch(reject));
      };
      this.#asked.set(id, () => void look(false).catch(reject));
      later();
    });
    const stop = (): void => {
      cancel();
      this.#asked.delete(id);
    };
    return { answer, stop };
  }

  /** Another server asks an app that is connected to this one. */
  async #answer({ id, appId }: { id: string; appId: string }): Promise<void> {
    const { hub, questions, bus } = this.needs;
    const text = await questions.take(id);
    if (text === null) return;
    const answer = await hub.ask(appId, JSON.parse(text) as Question);
    await questions.answer(id, JSON.stringify(answer));
    bus.publish({ type: "answered", id });
  }
}
