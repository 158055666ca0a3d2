// Tests: jobs on integrations without keys of their own, whose credentials the server keeps. Written against the published SDK's types; copied unchanged to where
// `@trigger.dev/sdk` is the published package, and to ours. SERVICE_URL: what takes the tokens.
import {
  type ConnectionAuth,
  eventTrigger,
  type IntegrationTaskKey,
  type IO,
  missingConnectionNotification,
  missingConnectionResolvedNotification,
  TriggerClient,
  type TriggerIntegration,
} from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "connections" });

/** Shows what it acts with, by its last letters only: outputs are kept. */
const shown = (auth: ConnectionAuth | undefined) => auth && { ...auth, accessToken: `…${auth.accessToken.slice(-6)}` };

class Service implements TriggerIntegration {
  #io: IO | undefined;
  #auth: ConnectionAuth | undefined;
  readonly authSource = "HOSTED" as const;

  constructor(readonly id: string) {}

  get metadata() {
    return { id: "service", name: "The service" };
  }
  cloneForRun(io: IO, _connectionKey: string, auth?: ConnectionAuth): Service {
    const clone = new Service(this.id);
    clone.#io = io;
    clone.#auth = auth;
    return clone;
  }
  call(key: IntegrationTaskKey): Promise<{ status: number; auth: object | undefined }> {
    if (!this.#io) throw new Error("not in a run");
    const call = async () => {
      const headers = { authorization: `Bearer ${this.#auth?.accessToken}` };
      const { status } = await fetch(`${process.env.SERVICE_URL}/me`, { headers });
      return { status, auth: shown(this.#auth) };
    };
    return this.#io.runTask(key, call, { name: "Call the service" });
  }
}

const service = new Service("service");
const other = new Service("other");

client.defineJob({
  id: "act",
  name: "Act",
  version: "1.0.0",
  trigger: eventTrigger({ name: "connections.act" }),
  integrations: { service },
  run: async (_payload, io, ctx) => {
    const called = [await io.service.call("first")];
    await io.wait("so that there is another execution", 1);
    called.push(await io.service.call("second"));
    return { account: ctx.account, called };
  },
});

client.defineJob({
  id: "act-with-both",
  name: "Act with both",
  version: "1.0.0",
  trigger: eventTrigger({ name: "connections.both" }),
  integrations: { service, other },
  run: async (_payload, io) => [await io.service.call("one"), await io.other.call("other")],
});

client.defineJob({
  id: "ask-for-auth",
  name: "Ask for auth",
  version: "1.0.0",
  trigger: eventTrigger({ name: "connections.ask" }),
  run: async (_payload, io) => {
    const asked = [await io.getAuth("service auth", "service"), await io.getAuth("no such", "nothing"), await io.getAuth("none")];
    await io.wait("so that it is replayed", 1);
    const direct = await client.getAuth("service");
    return { asked: asked.map(shown), direct: shown(direct) };
  },
});

client.defineJob({
  id: "tell-missing",
  name: "Tell missing",
  version: "1.0.0",
  trigger: missingConnectionNotification([service]),
  run: async (payload) => payload,
});

client.defineJob({
  id: "tell-resolved",
  name: "Tell resolved",
  version: "1.0.0",
  trigger: missingConnectionResolvedNotification([service]),
  run: async (payload) => payload,
});
