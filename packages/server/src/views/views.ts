// Room: views. The room's door: every read model, over one reader. Built once by main, called by http.
import { ActivityViews } from "./activity.ts";
import { DeliveryViews } from "./deliveries.ts";
import type { Reader } from "./reader.ts";
import { RunViews } from "./runs.ts";
import { SkipViews } from "./skips.ts";
import { TaskViews } from "./tasks.ts";

export interface Views {
  readonly runs: RunViews;
  readonly tasks: TaskViews;
  readonly deliveries: DeliveryViews;
  readonly skips: SkipViews;
  readonly activity: ActivityViews;
}

/**
 * Builds the read models.
 *
 * @example const views = createViews(postgres.reader); await views.runs.list(environment, { limit: 50 })
 */
export function createViews(reader: Reader): Views {
  const tasks = new TaskViews(reader);
  const skips = new SkipViews(reader);
  const deliveries = new DeliveryViews(reader, skips);
  return { tasks, skips, deliveries, runs: new RunViews(reader, tasks), activity: new ActivityViews(reader) };
}
