// Room: deliver. Who waits for an event (`io.waitForEvent`): a task that the event completes, or any URL that is sent it. Called by http to wait, and by the
// worker for events somebody may wait for. Promises: an event stored after the waiter was is never missed; one waiter is told of one event; a filter that
// does not compile is refused when it is given.
import { createHash } from "node:crypto";
import { compileFilter } from "@holdfast/engine";
import { UserFacingError } from "@holdfast/protocol";
import { z } from "zod";
import type { World } from "../platform/world.ts";
import { outsideQueue } from "../store/queues.ts";
import type { EventRow, OutboundRow, Store } from "../store/store.ts";
import type { Callbacks } from "../tasks/callbacks.ts";

const MOST_SECONDS = 31_536_000;
const PAGE = 500;
const filterSchema = z.record(z.string(), z.unknown());

/** wire §2.11. v2 took no less than 10 seconds; there is no reason to. */
export const waitBodySchema = z.object({
  url: z.url(),
  name: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(100)]),
  source: z.string().optional(),
  filter: filterSchema.optional(),
  contextFilter: filterSchema.optional(),
  accountId: z.string().optional(),
  timeoutInSeconds: z.number().int().min(1).max(MOST_SECONDS).default(3600),
});
type WaitBody = z.infer<typeof waitBodySchema>;
type Rule = Pick<WaitBody, "url" | "source" | "filter" | "contextFilter" | "accountId">;

const DEFAULT_SOURCE = "trigger.dev";

export interface WaitersNeeds {
  world: World;
  store: Store;
  callbacks: Callbacks;
  wake: (queues: string[]) => void;
}

export class Waiters {
  constructor(private readonly needs: WaitersNeeds) {}

  /** @throws UserFacingError UNPROCESSABLE for a filter that is none */
  async add(environmentId: string, body: WaitBody): Promise<{ id: string }> {
    const { world, store } = this.needs;
    for (const [name, filter] of Object.entries({ filter: body.filter, contextFilter: body.contextFilter })) {
      const compiled = compileFilter(filter ?? {});
      if (!compiled.ok)
        throw new UserFacingError(
          "UNPROCESSABLE",
          `\`${name}\` is no event filter: ${compiled.path || "it"} ${compiled.problem}`,
        );
    }
    const { url, source, filter, contextFilter, accountId } = body;
    const rule: Rule = { url, source, filter, contextFilter, accountId };
    const id = `wtr_${createHash("sha256").update(`${environmentId} ${url}`).digest("hex").slice(0, 26)}`;
    const expiresAt = world.now() + body.timeoutInSeconds * 1000;
    await store.outside.addWaiter({ id, environmentId, names: [body.name].flat(), ruleText: JSON.stringify(rule), expiresAt });
    return { id };
  }

  /** An event was delivered: tells those who wait for it, once each. */
  async tell(event: EventRow, work: { id: string; token: string }): Promise<void> {
    const { store, world } = this.needs;
    let after = "";
    for (;;) {
      const page = await store.outside.waiters(event.environmentId, event.name, after, PAGE);
      const now = world.now();
      const told = page.filter(({ ruleText, expiresAt }) => expiresAt > now && waitsFor(JSON.parse(ruleText) as Rule, event));
      const done: string[] = [];
      for (const { id, ruleText } of told) if (await this.#tell(id, JSON.parse(ruleText) as Rule, event)) done.push(id);
      if (done.length > 0) await store.outside.dropWaiters(done);
      if (page.length < PAGE) break;
      after = page.at(-1)?.id ?? "";
    }
    await store.outside.finish(work);
  }

  /** True when it was a task, which is still to be dropped: one is completed once whoever tries. */
  async #tell(id: string, { url }: Rule, event: EventRow): Promise<boolean> {
    const { store, callbacks, world, wake } = this.needs;
    const outputText = JSON.stringify(eventShown(event));
    if ((await callbacks.called(url, { status: "COMPLETED", outputText })) !== "foreign") return true;
    const row: OutboundRow = {
      id: `out_${id}_${event.rowId}`,
      environmentId: event.environmentId,
      kind: "post",
      queue: outsideQueue(event.environmentId),
      runId: null,
      requestText: JSON.stringify({ url, body: outputText }),
      createdAt: world.now(),
      awaitsEnd: false,
    };
    await store.outside.tellWaiter(id, row, row.createdAt);
    wake([row.queue]);
    return false;
  }
}

/** The account first: v2 looked at it only where there was a filter. */
function waitsFor({ source, accountId, filter, contextFilter }: Rule, event: EventRow): boolean {
  if ((source ?? DEFAULT_SOURCE) !== event.source) return false;
  if (accountId !== undefined && accountId !== event.accountId) return false;
  return fits(filter, event.payloadText) && fits(contextFilter, event.contextText);
}

function fits(filter: object | undefined, text: string | null): boolean {
  if (!filter || Object.keys(filter).length === 0) return true;
  const compiled = compileFilter(filter);
  return compiled.ok && compiled.matches(text === null ? undefined : JSON.parse(text));
}

/** What `io.waitForEvent` gives. */
function eventShown(event: EventRow): object {
  return {
    id: event.id,
    source: event.source,
    name: event.name,
    payload: JSON.parse(event.payloadText),
    ...(event.contextText === null ? {} : { context: JSON.parse(event.contextText) }),
    timestamp: new Date(event.timestamp).toISOString(),
    ...(event.accountId === null ? {} : { accountId: event.accountId }),
  };
}
