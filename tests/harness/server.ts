// Tests: a real Holdfast server, started the way a user starts it (`holdfast start`), that can be killed and started again on the same data and port.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Api } from "./api.ts";
import { type Exit, freshDirectory, type Program, postmasterOf, ROOT, startProgram } from "./processes.ts";
import { until } from "./until.ts";

export const CLI = join(ROOT, "packages/cli/bin/holdfast.js");
/** What the published SDK insists on: `tr_` and letters. */
export const DEV_KEY = "tr_dev_testtesttesttesttesttest";
export const PROD_KEY = "tr_prod_testtesttesttesttesttest";
export const ADMIN_PASSWORD = "correct horse battery staple";

export interface ServerOptions {
  dataDir?: string;
  databaseUrl?: string;
  /** More environment for the server. */
  env?: Record<string, string>;
}

export class TestServer {
  readonly dataDir: string;
  url = "";
  #program: Program | undefined;
  #port = 0;
  readonly #env: Record<string, string>;

  private constructor(private readonly options: ServerOptions) {
    this.dataDir = options.dataDir ?? freshDirectory();
    this.#env = {
      HOLDFAST_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      HOLDFAST_ADMIN_PASSWORD: ADMIN_PASSWORD,
      HOLDFAST_DEV_API_KEY: DEV_KEY,
      HOLDFAST_PROD_API_KEY: PROD_KEY,
      ...options.env,
    };
  }

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options);
    await server.start();
    return server;
  }

  /** Starts it, again on the same port and data after a kill. */
  async start(): Promise<void> {
    const database = this.options.databaseUrl ? ["--database-url", this.options.databaseUrl] : [];
    const args = [CLI, "start", "--port", String(this.#port), "--data-dir", this.dataDir, ...database];
    const program = startProgram(args, { env: this.#env });
    this.#program = program;
    let ended = false;
    program.exited.then(() => {
      ended = true;
    });
    this.url = await until(() => (ended ? failed(program) : this.#address(program.pid)), {
      withinMs: 60_000,
      what: () => `the server's start:\n${program.output()}`,
    });
    this.#port = Number(new URL(this.url).port);
  }

  // server.json is the contract: written once the server answers.
  #address(pid: number): string | null {
    try {
      const file: { url: string; pid: number } = JSON.parse(readFileSync(join(this.dataDir, "server.json"), "utf8"));
      return file.pid === pid ? file.url : null;
    } catch {
      return null;
    }
  }

  get program(): Program {
    if (!this.#program) throw new Error("the server was not started");
    return this.#program;
  }
  /** What it is started with besides flags: for another one on the same data. */
  get environment(): Record<string, string> {
    return this.#env;
  }
  /** The API, as the dev environment's key sees it. */
  get api(): Api {
    return new Api(this.url, DEV_KEY);
  }
  /** What an app needs to find it. */
  get appEnv(): Record<string, string> {
    return { TRIGGER_API_URL: this.url, TRIGGER_API_KEY: DEV_KEY };
  }

  kill(): Promise<void> {
    return this.program.kill();
  }
  stop(): Promise<Exit> {
    return this.program.stop();
  }
  /** kill -9 of the embedded PostgreSQL's postmaster. */
  killPostgres(): void {
    const pid = postmasterOf(this.dataDir);
    if (pid) process.kill(pid, "SIGKILL");
  }
}

function failed(program: Program): never {
  throw new Error(`the server ended at its start:\n${program.output()}`);
}
