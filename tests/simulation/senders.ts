// Simulation: those who send webhooks and events, and a person who cancels runs. They try again until they are answered, or give up; what they were
// answered is the first half of what the judge compares with.
import { endpointUrl } from "../../packages/server/src/ingest/locate.ts";
import type { MemoryStore } from "../../packages/server/src/store/memory/memory-store.ts";
import type { EndpointRow, EnvironmentRow } from "../../packages/server/src/store/store.ts";
import { type EventName, JOBS_OF, keyOf } from "./app.ts";
import type { Chance } from "./chance.ts";
import type { Network } from "./network.ts";
import { makeProgram, type Program } from "./programs.ts";
import type { Scene } from "./scene.ts";
import type { SimulatedServer } from "./server.ts";

const KINDS: readonly EventName[] = ["work", "work", "work", "limited", "limited", "picky", "picky", "later", "hook", "checked"];

interface Message {
  id: string;
  kind: EventName;
  program: Program;
  /** Seconds it is to be delivered later. */
  after: number;
  genuine: boolean;
  /** Gives up after this many tries. */
  patience: number;
}

export interface SendersSetting {
  servers: readonly SimulatedServer[];
  network: Network;
  store: MemoryStore;
  environment: EnvironmentRow;
  endpoints: readonly EndpointRow[];
}

export class Senders {
  /** Messages neither answered nor given up. */
  open = 0;
  /** By event id. */
  readonly programs = new Map<string, Program>();
  readonly #chance: Chance;

  constructor(
    private readonly scene: Scene,
    private readonly setting: SendersSetting,
  ) {
    this.#chance = scene.chance("senders");
  }

  /** Plans `count` messages over the next `ms`. */
  plan(count: number, ms: number): void {
    for (let i = 0; i < count; i++) {
      const kind = this.#chance.pick(KINDS);
      const message: Message = {
        id: `m${i}`,
        kind,
        program: makeProgram(this.#chance),
        after: this.#chance.within(0.2, 6),
        genuine: !this.#chance.happens(0.15),
        patience: this.#chance.happens(0.15) ? this.#chance.between(1, 3) : Number.POSITIVE_INFINITY,
      };
      this.open += 1;
      this.scene.timeline.after(this.#chance.within(0, ms), null, () => this.#begin(message));
    }
    for (let i = this.#chance.between(0, 2); i > 0; i--) {
      this.scene.timeline.after(this.#chance.within(1_000, ms), null, () => this.#cancelSome());
    }
  }

  #begin(message: Message): void {
    const { kind, genuine, after, program } = message;
    const endpoint = this.setting.endpoints.find(({ slug }) => slug === kind);
    const event = endpoint ? `${endpoint.id}.${message.id}` : message.id;
    this.programs.set(event, program);
    const jobs = endpoint && !genuine ? [] : JOBS_OF[kind];
    this.scene.note("sender", { what: "sent", event, jobs, notBefore: this.scene.now + (kind === "later" ? after * 1000 : 0) });
    const tried = { event, message, endpoint, tries: 0, settled: false };
    this.#try(tried);
    if (this.#chance.happens(0.2)) this.#try(tried);
  }

  #try(on: { event: string; message: Message; endpoint: EndpointRow | undefined; tries: number; settled: boolean }): void {
    if (on.settled) return;
    const { event, message } = on;
    const settle = () => {
      on.settled = true;
      this.open -= 1;
    };
    if (on.tries >= message.patience) {
      settle();
      return;
    }
    on.tries += 1;
    const again = () => this.scene.timeline.after(this.#chance.within(200, 3_000), null, () => this.#try(on));
    this.#request(message, on.endpoint).then(
      (verdict) => {
        if (verdict === null) return again();
        this.scene.note("sender", { what: "answered", event, verdict });
        if (!on.settled) settle();
      },
      () => again(),
    );
  }

  /** Null: not taken, to be tried again. */
  #request(message: Message, endpoint: EndpointRow | undefined): Promise<"stored" | "refused" | null> {
    const server = this.#chance.pick(this.setting.servers);
    return this.setting.network.request(null, server.actor, async () => {
      if (!server.core) throw new Error("The server is starting.");
      if (endpoint) return this.#webhook(server, message, endpoint);
      const options = message.kind === "later" ? { deliverAfter: message.after } : {};
      const raw = { id: message.id, name: message.kind, payload: { ...message.program, key: keyOf(message.program) } };
      await server.core.events.send(this.setting.environment.id, raw, options);
      return "stored";
    });
  }

  async #webhook(server: SimulatedServer, message: Message, endpoint: EndpointRow): Promise<"stored" | "refused" | null> {
    const answer = await server.core?.ingest.receive({
      method: "POST",
      url: endpointUrl("http://simulation", this.setting.environment, endpoint),
      headers: [
        ["webhook-id", message.id],
        ["x-genuine", message.genuine ? "yes" : "no"],
      ],
      body: Buffer.from(JSON.stringify(message.program)),
    });
    if (!answer || answer.status >= 500) return null;
    return answer.status < 300 ? "stored" : "refused";
  }

  #cancelSome(): void {
    const unfinished = [...this.setting.store.tables.runs.values()].filter(({ state }) => state.kind !== "finished");
    if (unfinished.length === 0) return;
    const { id: run } = this.#chance.pick(unfinished);
    const server = this.#chance.pick(this.setting.servers);
    this.scene.note("sender", { what: "cancel asked", run });
    const cancel = async () => server.core?.runs.cancel(this.setting.environment.id, run);
    this.setting.network.request(null, server.actor, cancel).then(
      (answer) => answer === "canceled" && this.scene.note("sender", { what: "canceled", run }),
      () => {},
    );
  }
}
