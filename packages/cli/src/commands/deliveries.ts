// Room: commands. `holdfast deliveries list`: every request received, with its verdict. Promise: the JSON shape of DESIGN §13.
import { DELIVERY_VERDICTS, type DeliverySummary } from "@holdfast/protocol";
import type { ServerFlags } from "../api/find-server.ts";
import { CommandError } from "../output/exit-codes.ts";
import { oneLine, table } from "../output/table.ts";
import { toCount } from "../settings/settings.ts";
import { apiOf, type Context } from "./context.ts";

export interface DeliveriesFlags extends ServerFlags {
  endpoint?: string;
  verdict?: string;
  limit: string;
}

export async function listDeliveries(context: Context, flags: DeliveriesFlags): Promise<void> {
  const query = { endpoint: flags.endpoint, verdict: toVerdict(flags.verdict) };
  const limit = toCount(flags.limit, "--limit");
  const api = apiOf(context, flags);
  const deliveries = await api.list<DeliverySummary>(api.inEnvironment("deliveries"), query, limit);
  if (deliveries.length === 0) context.output.note("No deliveries match.");
  const rows = deliveries.map((each) => [
    each.id,
    each.endpoint ?? "–",
    each.verdict,
    String(each.status),
    each.receivedAt,
    oneLine(each.reason ?? (each.runs.join(" ") || null)),
  ]);
  const text = rows.length ? table(["DELIVERY", "ENDPOINT", "VERDICT", "ANSWERED", "RECEIVED", "REASON / RUNS"], rows) : "";
  context.output.result(deliveries.map(deliveryRow), text);
}

function deliveryRow({ id, endpoint, verdict, reason, status, runs, receivedAt }: DeliverySummary) {
  return { id, endpoint, verdict, reason, status, runs, receivedAt };
}

function toVerdict(given: string | undefined): string | undefined {
  if (given === undefined || DELIVERY_VERDICTS.some((each) => each === given)) return given;
  throw new CommandError("USAGE", `"${given}" is no verdict.`, `Verdicts: ${DELIVERY_VERDICTS.join(", ")}.`);
}
