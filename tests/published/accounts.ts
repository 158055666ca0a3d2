// Tests: jobs that act for accounts, with an integration whose credentials are found in each run, one with its own, and one with none. Written against the published SDK's
// types; copied unchanged to where `@trigger.dev/sdk` is the published package, and to ours.
import {
  type ConnectionAuth,
  eventTrigger,
  type IntegrationTaskKey,
  type IO,
  invokeTrigger,
  TriggerClient,
  type TriggerIntegration,
} from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "accounts" });

class Speaker implements TriggerIntegration {
  #io: IO | undefined;
  #auth: ConnectionAuth | undefined;
  #key = "";

  constructor(
    readonly id: string,
    readonly authSource: "LOCAL" | "HOSTED",
  ) {}

  get metadata() {
    return { id: "speaker", name: "Speaker" };
  }
  cloneForRun(io: IO, connectionKey: string, auth?: ConnectionAuth): Speaker {
    const clone = new Speaker(this.id, this.authSource);
    clone.#io = io;
    clone.#key = connectionKey;
    clone.#auth = auth;
    return clone;
  }
  say(key: IntegrationTaskKey): Promise<object> {
    const said = { key: this.#key, auth: this.#auth ?? "its own" };
    if (!this.#io) throw new Error("not in a run");
    return this.#io.runTask(key, async () => said, { name: "Say", icon: "speaker", connectionKey: this.#key });
  }
}

const byAccount = new Speaker("by-account", "LOCAL");
client.defineAuthResolver(byAccount, async (ctx, integration) => {
  if (ctx.account?.id === "nobody") return;
  if (ctx.account?.id === "broken") throw new TypeError("no such account");
  const additionalFields = { integration: integration.id, run: ctx.run.id === "" ? "none" : "some" };
  if (ctx.account?.id === "key") return { type: "apiKey", token: "a key" };
  return { type: "oauth", token: `token of ${ctx.account?.id}`, additionalFields };
});

client.defineJob({
  id: "act",
  name: "Act",
  version: "1.0.0",
  trigger: eventTrigger({ name: "accounts.act" }),
  integrations: { speaker: byAccount, own: new Speaker("own", "LOCAL") },
  run: async (_payload, io, ctx) => {
    const said = [await io.speaker.say("resolved"), await io.own.say("own")];
    await io.wait("so that it is resolved again", 1);
    return { account: ctx.account, said, again: await io.speaker.say("again") };
  },
});

client.defineJob({
  id: "act-when-invoked",
  name: "Act when invoked",
  version: "1.0.0",
  trigger: invokeTrigger(),
  integrations: { speaker: byAccount },
  run: async (_payload, io, ctx) => ({ account: ctx.account, said: await io.speaker.say("resolved") }),
});

client.defineJob({
  id: "act-without",
  name: "Act without",
  version: "1.0.0",
  trigger: eventTrigger({ name: "accounts.without" }),
  integrations: { speaker: new Speaker("hosted", "HOSTED") },
  run: async () => "never",
});
