// Bench: the stand everything is measured on: a server and an app as processes of their own with default settings, reached as any client reaches them,
// and the database read from the side, so that "complete" means what the database says, not what we say.
import { setTimeout as pause } from "node:timers/promises";
import { idFloor } from "@holdfast/protocol";
import pg from "pg";
import { Pool } from "undici";
import { startApp } from "../tests/harness/apps.ts";
import { embeddedConnection } from "../tests/harness/embedded-connection.ts";
import type { Program } from "../tests/harness/processes.ts";
import { DEV_KEY, TestServer } from "../tests/harness/server.ts";
import { SIGNING_SECRET, signedHeaders } from "../tests/harness/webhooks.ts";
import type { Told } from "./app.ts";
import { type Counters, countersIn } from "./counters.ts";
import { oneCommitNow, rawLimits } from "./raw-limits.ts";
import { sharedClock } from "./statistics.ts";

export class Stand {
  readonly #told: Told[] = [];
  readonly #http: Pool;
  #rest = "";
  #allEndedAt = 0;

  private constructor(
    readonly server: TestServer,
    readonly database: pg.Client,
    private readonly hookPath: string,
    app: Program,
  ) {
    this.#http = new Pool(server.url, { connections: 100, pipelining: 1 });
    app.onStdout((chunk) => this.#hear(chunk));
  }

  static async open(env: Record<string, string> = {}): Promise<Stand> {
    const server = await TestServer.start({ env });
    const app = startApp(server, "bench/app.ts", { BENCH_SECRET: SIGNING_SECRET });
    await app.says(/connected/);
    const database = new pg.Client(embeddedConnection(server.dataDir));
    await database.connect();
    // A bench that fails ends the server under it: what is to be seen then is why it failed.
    database.on("error", () => {});
    const url = new URL(await server.api.endpointUrl("bench"));
    await server.api.knowsJob("steps");
    return new Stand(server, database, url.pathname, app);
  }

  /** Taken with the server idle. */
  rawLimits() {
    return rawLimits(this.server.dataDir, embeddedConnection(this.server.dataDir));
  }

  oneCommitNow() {
    return oneCommitNow(embeddedConnection(this.server.dataDir));
  }

  #hear(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("{")) this.#told.push(JSON.parse(line));
  }

  /** Waits until the app has told of so many runs since the last call, takes them, and waits until the database has all of them as completed. */
  async finished(count: number, withinMs = 120_000): Promise<Told[]> {
    const deadline = sharedClock() + withinMs;
    while (this.#told.length < count) {
      if (sharedClock() > deadline)
        throw new Error(`${this.#told.length} of ${count} runs ended:\n${this.server.program.output()}`);
      await pause(1);
    }
    const told = this.#told.splice(0);
    while (await this.#anyUnfinished()) if (sharedClock() > deadline) throw new Error("runs stay unfinished");
    return told;
  }

  /** Looks at the runs made since the last time all had ended, so that looking stays cheap beside thousands of old ones. */
  async #anyUnfinished(): Promise<boolean> {
    const text = "select 1 from runs where id >= $1 and state_kind <> 'finished' limit 1";
    const now = Date.now();
    const { rowCount } = await this.database.query({ name: "open", text, values: [`run_${idFloor(this.#allEndedAt)}`] });
    if (rowCount === 0) this.#allEndedAt = now;
    return rowCount !== 0;
  }

  /** Runs that wait for their time. */
  async waiting(): Promise<number> {
    const { rows } = await this.database.query<{ n: number }>("select count(*)::int as n from runs where state_kind = 'waiting'");
    return rows[0]?.n ?? 0;
  }

  /** Resolves once the run of this event has ended, as the database shows it; asks without pause. */
  async ended(eventId: string): Promise<void> {
    const text = `select 1 from event_keys k join runs r on r.event_row_id = k.event_row_id
      where k.event_id = $1 and r.state_kind = 'finished'`;
    for (;;) {
      const { rowCount } = await this.database.query({ name: "ended", text, values: [eventId] });
      if (rowCount) return;
    }
  }

  /** Sends an event, and reads the whole answer. */
  async send(name: string, payload: object = {}): Promise<{ id: string }> {
    const { statusCode, body } = await this.#http.request({
      method: "POST",
      path: "/api/v1/events",
      headers: { authorization: `Bearer ${DEV_KEY}`, "content-type": "application/json" },
      body: JSON.stringify({ event: { name, payload } }),
    });
    if (statusCode !== 200) throw new Error(`the event was answered with ${statusCode}: ${await body.text()}`);
    return (await body.json()) as { id: string };
  }

  /** Sends a signed webhook; the milliseconds until its acknowledgement had arrived. */
  async webhook(): Promise<number> {
    const text = JSON.stringify({ sentAt: sharedClock(), data: { id: "user_bench", object: "user" }, type: "user.created" });
    const headers = signedHeaders(text);
    const from = sharedClock();
    const { statusCode, body } = await this.#http.request({ method: "POST", path: this.hookPath, headers, body: text });
    await body.dump();
    if (statusCode !== 200) throw new Error(`the webhook was answered with ${statusCode}`);
    return sharedClock() - from;
  }

  async counters(): Promise<Counters> {
    const { body } = await this.#http.request({ method: "GET", path: "/metrics" });
    return countersIn(await body.text());
  }

  async close(): Promise<void> {
    await this.database.end();
    await this.#http.close();
    await this.server.stop();
  }
}
