// Tests: what the kill test acts on: a server, the witnessed Clerk app, a sender that behaves as Svix does (repeats a message until it is acknowledged),
// and the two journals. Sender and app write their journals themselves; the server's tables are asked only for how each run ended.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isFinalRunStatus } from "@holdfast/protocol";
import { clerkEnvironment, RECORDED_CLERK_APP, startApp } from "./apps.ts";
import type { Acknowledged, AppEntry, History } from "./checker.ts";
import { openJournal, readJournal } from "./journal.ts";
import { freshDirectory, type Program } from "./processes.ts";
import { TestServer } from "./server.ts";
import { until } from "./until.ts";
import { sendSigned, svixId, userCreated } from "./webhooks.ts";

export const VICTIMS = ["server", "app", "postgres", "all"] as const;
export type Victim = (typeof VICTIMS)[number];

export interface Round {
  victim: Victim;
  requests: number;
  /** Milliseconds after the first request. */
  killAfter: number;
  /** Milliseconds until what was killed is started again; PostgreSQL is brought back by the server. */
  downFor: number;
  /** Milliseconds until everything must have come to rest. */
  restWithin: number;
}

/** Requests under way at once, and the pause between two of one sender: they spread over about a second. */
const SENDERS = 8;
const SEND_FOR_MS = 1_000;
const JOBS = ["http-clerk", "welcome-clerk-user"];

export class KillScene {
  readonly #files = freshDirectory();
  readonly #acknowledgements = openJournal<Acknowledged>(join(this.#files, "sender.jsonl"));
  readonly #sent: string[] = [];
  #app: Program | undefined;
  #url = "";

  private constructor(
    private readonly server: TestServer,
    private readonly clerk: Awaited<ReturnType<typeof clerkEnvironment>>,
  ) {}

  static async open(): Promise<KillScene> {
    const scene = new KillScene(await TestServer.start(), await clerkEnvironment({ waitSeconds: 1 }));
    scene.#startApp();
    scene.#url = await scene.server.api.endpointUrl("clerk.com");
    return scene;
  }

  #startApp(): void {
    this.#app = startApp(this.server, RECORDED_CLERK_APP, { ...this.clerk.env, APP_JOURNAL: this.#appJournal });
  }
  get #appJournal(): string {
    return join(this.#files, "app.jsonl");
  }

  /** Sends, kills in the middle, starts again, and waits until every run of the round has ended. */
  async round(round: Round): Promise<void> {
    const since = new Date().toISOString();
    const sending = this.#send(round.requests);
    await pause(round.killAfter);
    await this.#kill(round.victim);
    await pause(round.downFor);
    await this.#revive(round.victim);
    await sending;
    await this.#rest({ since, count: round.requests * JOBS.length, withinMs: round.restWithin });
  }

  async #send(requests: number): Promise<void> {
    const ids = Array.from({ length: requests }, () => svixId());
    this.#sent.push(...ids);
    const gap = (SEND_FOR_MS * SENDERS) / requests;
    const sender = async () => {
      for (let id = ids.pop(); id; id = ids.pop()) {
        await this.#sendUntilAcknowledged(id);
        await pause(gap);
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
  }

  async #sendUntilAcknowledged(id: string): Promise<void> {
    const body = userCreated(`user_${id.slice(4, 16)}`);
    await until(
      () =>
        sendSigned(this.#url, body, { id }).then(
          ({ ok }) => ok,
          () => false,
        ),
      {
        withinMs: 60_000,
        everyMs: 100,
        what: () => `an acknowledgement of ${id}`,
      },
    );
    this.#acknowledgements.write({ svixId: id });
  }

  async #kill(victim: Victim): Promise<void> {
    if (victim === "postgres" || victim === "all") this.server.killPostgres();
    if (victim === "server" || victim === "all") await this.server.kill();
    if (victim === "app" || victim === "all") await this.#app?.kill();
  }

  async #revive(victim: Victim): Promise<void> {
    if (victim === "app" || victim === "all") this.#startApp();
    if (victim === "server" || victim === "all") await this.server.start();
  }

  async #rest({ since, count, withinMs }: { since: string; count: number; withinMs: number }): Promise<void> {
    let open: string[] = [];
    await until(
      async () => {
        const runs = await this.server.api.runs({ after: since }).catch(() => null);
        if (!runs) return false;
        open = runs.filter(({ status }) => !isFinalRunStatus(status)).map(({ id, status }) => `${id} ${status}`);
        return open.length === 0 && runs.length >= count;
      },
      { withinMs, everyMs: 250, what: () => `rest; open are ${JSON.stringify(open)}\n${this.#said()}` },
    );
  }

  #said(): string {
    const tail = (text: string) => text.slice(-3000);
    return `server:\n${tail(this.server.program.output())}\napp:\n${tail(this.#app?.output() ?? "")}`;
  }

  async history(): Promise<History> {
    return {
      sent: this.#sent,
      acknowledged: readJournal(join(this.#files, "sender.jsonl")),
      app: readJournal<AppEntry>(this.#appJournal),
      runs: await this.server.api.runs(),
      jobs: JOBS,
    };
  }

  /** What the stand-in's receiver took: the outside effect of the runs. */
  welcomes() {
    return this.clerk.standIn.welcomes();
  }

  async close(): Promise<void> {
    this.#acknowledgements.close();
    await this.clerk.standIn.stop();
  }
}
