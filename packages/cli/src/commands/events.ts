// Room: commands. `holdfast events get` and `events skipped`: what came of events, and why some started no run of a job.
import type { RunStatus, Skip } from "@holdfast/protocol";
import type { ServerFlags } from "../api/find-server.ts";
import { oneLine, table } from "../output/table.ts";
import { toCount } from "../settings/settings.ts";
import { apiOf, type Context } from "./context.ts";

export interface SkippedFlags extends ServerFlags {
  job: string;
  limit: string;
}

interface EventInfo {
  id: string;
  name: string;
  createdAt: string;
  runs: { id: string; status: RunStatus }[];
  skipped?: Skip[];
}

export async function getEvent(context: Context, id: string, flags: ServerFlags): Promise<void> {
  const { skipped = [], ...event } = await apiOf(context, flags).get<EventInfo>(`/api/v2/events/${encodeURIComponent(id)}`);
  const lines = [
    `${event.name}  ${event.id}  ${event.createdAt}`,
    ...event.runs.map((run) => `${run.id}  ${run.status}`),
    ...skipped.map(({ job, why }) => `no run of ${job}: ${oneLine(why)}`),
  ];
  if (lines.length === 1) context.output.note("It started no runs: no job's trigger matched it, or it waits for its time.");
  context.output.result({ ...event, skipped }, lines.join("\n"));
}

export async function listSkipped(context: Context, flags: SkippedFlags): Promise<void> {
  const limit = toCount(flags.limit, "--limit");
  const api = apiOf(context, flags);
  const skips = await api.list<Skip>(api.inEnvironment("jobs", flags.job, "skips"), {}, limit);
  if (skips.length === 0) context.output.note("No event was skipped.");
  const rows = skips.map(({ eventId, eventName, reason, at, why }) => [eventId, eventName, reason, at, oneLine(why)]);
  context.output.result(skips, rows.length ? table(["EVENT", "NAME", "REASON", "AT", "WHY"], rows) : "");
}
