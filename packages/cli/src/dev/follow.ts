// Room: dev. What happens while `dev` runs, as lines: runs, requests that were refused, apps that came and went. Called by dev.ts.
// Promise: it never ends `dev`; what cannot be asked now is asked again later.
import type { DeliverySummary, Page } from "@holdfast/protocol";
import type { Api } from "../api/api.ts";
import type { Context } from "../commands/context.ts";
import { runRow } from "../commands/runs.ts";
import { followRuns, runLine } from "../commands/tail.ts";
import { pause } from "../platform/world.ts";
import type { Announcer } from "./announce.ts";

const LOOK_EVERY_MS = 1_000;

export async function follow(context: Context, api: Api, announcer: Announcer, signal: AbortSignal): Promise<void> {
  await Promise.all([
    untilStopped(context, signal, () =>
      followRuns(context.world, api, {
        query: {},
        show: (run) => context.output.event({ type: "run", ...runRow(run) }, runLine(run, context.output)),
        signal,
      }),
    ),
    untilStopped(context, signal, refusals(context, api)),
    untilStopped(context, signal, () => announcer.look()),
  ]);
}

async function untilStopped({ world }: Context, signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    // A server that restarts its database, or is about to stop, answers again or is asked no more.
    await look().catch(() => {});
    await pause(world, LOOK_EVERY_MS, signal);
  }
}

function refusals({ output }: Context, api: Api): () => Promise<void> {
  let floor: string | null = null;
  return async () => {
    const page: Page<DeliverySummary> = await api.get(api.inEnvironment("deliveries"), { verdict: "refused", limit: 20 });
    const fresh = floor === null ? [] : page.items.filter((each) => each.id > (floor ?? "")).reverse();
    floor = page.items[0]?.id ?? floor ?? "";
    for (const { id, endpoint, reason, status, receivedAt } of fresh) {
      const text = `  ${output.paint("dim", receivedAt.slice(11, 19))}  ${id}  ${endpoint ?? "unknown endpoint"}  ${output.paint("yellow", "refused")}  ${status}  ${reason ?? ""}`;
      output.event({ type: "delivery", id, endpoint, verdict: "refused", status, reason }, text);
    }
  };
}
