// Tests: a job that sends events for later, looks at them, replaces and cancels them, and jobs whose runs are canceled from outside. Written against the published
// SDK's types; copied unchanged to where `@trigger.dev/sdk` is the published package, and to ours.
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "canceling" });

client.defineJob({
  id: "plan",
  name: "Plan",
  version: "1.0.0",
  trigger: eventTrigger({ name: "plan.asked" }),
  run: async ({ tag }: { tag: string }, io) => {
    const ids = { canceled: `${tag}-canceled`, replaced: `${tag}-replaced`, now: `${tag}-now` };
    const event = (id: string, n: number) => ({ id, name: "plan.due", payload: { id, n } });
    await io.sendEvent("canceled", event(ids.canceled, 1), { deliverAfter: 3600 });
    await io.sendEvent("replaced", event(ids.replaced, 1), { deliverAfter: 3600 });
    await io.sendEvent("at once", event(ids.now, 1));
    const before = await io.getEvent("before", ids.canceled);
    const canceled = await io.cancelEvent("cancel", ids.canceled);
    const again = await io.sendEvent("again", event(ids.canceled, 2));
    const replaced = await io.sendEvent("replace", event(ids.replaced, 2), { deliverAfter: 7200 });
    await io.sendEvent("replace by now", event(ids.replaced, 3));
    await io.wait("a moment", 1);
    const delivered = await io.cancelEvent("too late", ids.now);
    const after = await io.getEvent("after", ids.now);
    return {
      before: [before.id, before.name, before.runs],
      canceled: [canceled.id, canceled.payload, Boolean(canceled.cancelledAt), canceled.deliveredAt === undefined],
      again: [again.payload, Boolean(again.cancelledAt)],
      replaced: replaced.payload,
      delivered: [delivered.payload, delivered.cancelledAt === undefined, Boolean(delivered.deliveredAt)],
      after: after.runs.map(({ status }) => status),
    };
  },
});

client.defineJob({
  id: "due",
  name: "Due",
  version: "1.0.0",
  trigger: eventTrigger({ name: "plan.due" }),
  run: async (payload: { id: string; n: number }) => payload,
});

client.defineJob({
  id: "long",
  name: "Long",
  version: "1.0.0",
  trigger: eventTrigger({ name: "plan.long" }),
  run: async (_payload: unknown, io) => io.wait("an hour", 3600),
});

client.defineJob({
  id: "stop",
  name: "Stop",
  version: "1.0.0",
  trigger: eventTrigger({ name: "plan.stop" }),
  run: async ({ event, one }: { event: string; one: string }) => {
    const found = await client.getEvent(event);
    const ofEvent = await client.cancelRunsForEvent(event);
    const ofEventAgain = await client.cancelRunsForEvent(event);
    const run = await client.cancelRun(one);
    const again = await client.getRun(one);
    const listed = await client.getRuns("long", { take: 2 });
    const rest = await client.getRuns("long", { take: 50, cursor: listed.nextCursor });
    const ofJob = await client.cancelRunsForJob("long");
    const unknown = await client.cancelRunsForJob("no-such-job");
    return {
      found: [found.id, found.runs.length, found.createdAt instanceof Date],
      ofEvent: [ofEvent.cancelledRunIds.length, ofEvent.cancelledRunIds[0] === found.runs[0]?.id, ofEvent.failedToCancelRunIds],
      ofEventAgain,
      run: [run.id === one, run.status, again.status, again.tasks.map(({ name, status }) => [name, status])],
      listed: [listed.runs.length, rest.runs.length, listed.runs[0]?.status],
      ofJob: [ofJob.cancelledRunIds.length, ofJob.failedToCancelRunIds],
      unknown,
    };
  },
});
