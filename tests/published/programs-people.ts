// Tests: programs around the users of an app, in the style of apps written for v2: onboarding with statuses for React, digests, trials, invitations, tickets. Started, and what must
// come out told, by tests/many-programs.test.ts; copied unchanged to where `@trigger.dev/sdk` is the published package, and to ours.
import { cronTrigger, eventTrigger, retry } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "./programs.ts";
import { vendor } from "./programs-vendor.ts";

const user = z.object({ id: z.string(), plan: z.enum(["free", "team"]).default("free") });

client.defineJob({
  id: "onboard",
  name: "Onboard, watched by the browser",
  version: "1.0.0",
  trigger: eventTrigger({
    name: "people.user.created",
    schema: user,
    examples: [{ id: "e", name: "One", payload: { id: "u" } }],
  }),
  run: async ({ id, plan }, io) => {
    const steps = ["workspace", "avatar", "mail"];
    const status = await io.createStatus("onboarding", { label: "Setting up", state: "loading", data: { done: 0 } });
    for (const [at, step] of steps.entries()) {
      await io.runTask(step, async () => vendor("step", { id, step }), { name: `Make the ${step}` });
      await status.update(`after ${step}`, { data: { done: (at + 1) / steps.length, step } });
    }
    const ready = await status.update("ready", { label: "Ready", state: "success" });
    return { plan, label: ready.label, state: ready.state, history: ready.history.map(({ data }) => data?.step ?? null) };
  },
});

const readers = [
  { id: "r1", weekly: true },
  { id: "r2", weekly: false },
  { id: "r3", weekly: true },
];
client.defineJob({
  id: "weekly-digest",
  name: "Weekly digest",
  version: "1.0.0",
  trigger: cronTrigger({ cron: "0 9 * * 1" }),
  run: async ({ ts }, io) => {
    const due = await io.runTask("readers", async () => readers.filter(({ weekly }) => weekly), { name: "Who reads it" });
    for (const { id } of due) {
      await io.runTask(["mail", id], () => vendor("mail", { to: id, about: ts.getUTCFullYear() }), {
        name: "Mail",
        retry: retry.exponentialBackoff,
      });
    }
    return { year: ts.getUTCFullYear(), mailed: due.map(({ id }) => id) };
  },
});

const trials = client.defineDynamicSchedule({ id: "trial checks" });
client.defineJob({
  id: "check-trial",
  name: "Check a trial",
  version: "1.0.0",
  trigger: trials,
  run: async ({ ts }, _io, ctx) => ({ ts: ts instanceof Date, user: ctx.source?.id }),
});
client.defineJob({
  id: "begin-trial",
  name: "Begin a trial",
  version: "1.0.0",
  trigger: eventTrigger({ name: "people.trial.begins", schema: user }),
  run: async ({ id }, io) => {
    const made = await trials.register(id, { type: "interval", options: { seconds: 86_400 }, metadata: { since: "today" } });
    await io.wait("a short trial", 0.05);
    const ended = await trials.unregister(id);
    return { every: made.schedule, active: made.active, ended: ended.ok };
  },
});

client.defineJob({
  id: "invite",
  name: "Invite, and let the invitation expire",
  version: "1.0.0",
  trigger: eventTrigger({ name: "people.invited", schema: z.object({ mail: z.string(), accepts: z.boolean() }) }),
  run: async ({ mail, accepts }, io, ctx) => {
    const id = `expires ${ctx.run.id}`;
    await io.sendEvent(
      "expiry",
      { id, name: "people.invitation.expired", payload: { mail } },
      { deliverAfter: accepts ? 3_600 : 1 },
    );
    await io.runTask("mail", () => vendor("mail", { to: mail, about: "invitation" }), { name: "Mail" });
    if (!accepts) return { expires: true };
    const canceled = await io.cancelEvent("accepted", id);
    const looked = await io.getEvent("look", id);
    return { expires: canceled.cancelledAt === undefined, runs: looked.runs.length };
  },
});
client.defineJob({
  id: "expire-invitation",
  name: "Expire an invitation",
  version: "1.0.0",
  trigger: eventTrigger({ name: "people.invitation.expired", schema: z.object({ mail: z.string() }) }),
  run: async ({ mail }, io) => io.runTask("delete", async () => `deleted ${mail}`, { name: "Delete", icon: "trash" }),
});

client.defineJob({
  id: "experiment",
  name: "Show one of two mails, always the same to one",
  version: "1.0.0",
  trigger: eventTrigger({ name: "people.experiment", schema: user }),
  run: async ({ id }, io) => {
    const number = await io.random("variant", { min: 0, max: 1, round: true });
    const first = await io.runTask("first mail", async () => (number === 0 ? "A" : "B"), { name: "First" });
    await io.wait("a day", 0.05);
    const second = await io.runTask("second mail", async () => (number === 0 ? "A" : "B"), { name: "Second" });
    return { id, same: first === second };
  },
});

client.defineJob({
  id: "delete-account",
  name: "Delete an account, or put it back together",
  version: "1.0.0",
  trigger: eventTrigger({ name: "people.account.deleted", schema: z.object({ id: z.string(), stuck: z.boolean() }) }),
  run: async ({ id, stuck }, io) => {
    const done: string[] = [];
    const remove = async (what: string) => {
      await io.runTask(["remove", what], async () => {
        if (stuck && what === "files") throw new Error(`The ${what} of ${id} are locked`);
        return what;
      });
      done.push(what);
    };
    return io.try(
      async () => {
        for (const what of ["sessions", "files", "profile"]) await remove(what);
        return { deleted: true, undone: [] as string[] };
      },
      async () => {
        const undone: string[] = [];
        for (const what of done.toReversed()) undone.push(await io.runTask(["restore", what], async () => what));
        return { deleted: false, undone };
      },
    );
  },
});

client.defineJob({
  id: "escalate-ticket",
  name: "Escalate a ticket nobody answers",
  version: "1.0.0",
  trigger: eventTrigger({ name: "people.ticket.opened", schema: z.object({ ticket: z.string(), urgent: z.boolean() }) }),
  run: async ({ ticket, urgent }, io) => {
    const delay = urgent ? 30 : 3_600_000;
    const escalation = await io.runTask("escalate", async () => `${ticket} to the team lead`, {
      name: "Escalate",
      delayUntil: urgent ? new Date(Date.now() + delay) : new Date(0),
      description: "Unless somebody answered",
      displayKey: `ticket ${ticket}`,
    });
    await io.runTask("note", async () => {}, { name: "Noted", noop: true, params: { ticket } });
    return { escalation };
  },
});

client.defineJob({
  id: "greet-teams",
  name: "Greet teams only",
  version: "1.0.0",
  trigger: eventTrigger({ name: "people.user.created", schema: user, filter: { plan: ["team"] } }),
  run: async ({ id }, io) => io.runTask("greet", async () => `Hello, team of ${id}`, { name: "Greet" }),
});
