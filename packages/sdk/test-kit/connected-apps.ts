// For tests of the SDK: apps that dial a pretended server, and a job whose second step waits for the test.
import { TriggerClient } from "../src/client/client.ts";
import type { ConnectedClient, ConnectOptions } from "../src/connect/connect.ts";
import { realRuntime } from "../src/runtime/real.ts";
import type { Runtime } from "../src/runtime/runtime.ts";
import { invokeTrigger } from "../src/triggers/invoke-trigger.ts";
import { ConnectServer, type Peer } from "./connect-server.ts";
import { executionStart } from "./run-model.ts";

export const KEY = "tr_dev_abc";

/** Opens when the test says; counts what passed. */
export interface Gate {
  open: () => void;
  passed: string[];
}

export class ConnectedApps {
  readonly server = new ConnectServer();
  readonly lines: string[] = [];
  readonly #open: ConnectedClient[] = [];
  origin = "";

  static async open(): Promise<ConnectedApps> {
    const apps = new ConnectedApps();
    apps.origin = await apps.server.listen();
    return apps;
  }

  async close(): Promise<void> {
    for (const connection of this.#open.splice(0)) await connection.close();
    await this.server.close();
  }

  clientOf(apiKey = KEY, different: Partial<Runtime> = {}): TriggerClient {
    const log = (_level: string, message: string) => void this.lines.push(message);
    const runtime = { ...realRuntime, log, ...different };
    return new TriggerClient({ id: "my-app", apiKey, apiUrl: `${this.origin}/`, runtime });
  }

  connect(client: TriggerClient, options: ConnectOptions = { drainMs: 200 }): ConnectedClient {
    const connection = client.connect(options);
    this.#open.push(connection);
    return connection;
  }

  /** A client with a job that waits for the test between its two steps. */
  stepping(different: Partial<Runtime> = {}): { client: TriggerClient; gate: Gate } {
    const client = this.clientOf(KEY, different);
    const gate: Gate = { open: () => {}, passed: [] };
    const closed = new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    client.defineJob({
      id: "stepping",
      name: "Stepping",
      version: "1.0.0",
      trigger: invokeTrigger(),
      run: async (_payload, io) => {
        await io.runTask("one", async () => 1);
        gate.passed.push("one");
        await closed;
        return io.runTask("two", async () => 2);
      },
    });
    return { client, gate };
  }
}

export function execute(peer: Peer, token: string, job = "stepping"): void {
  const run = { ...executionStart().run, id: `run_${token}` };
  peer.send({ t: "execute", start: executionStart({ token, run, job: { id: job, version: "1.0.0" } }) });
}
