// Room: store. Runs the read-only statements of sql/views/ for the views room, on connections of its own, so that a slow view never holds up a step.
import pg from "pg";
import type { World } from "../../platform/world.ts";
import { persist } from "./failures.ts";
import { clientConfig, type LinkNeeds } from "./link.ts";
import { statement } from "./statements.ts";

/** Name of a file in sql/views/, without `.sql`. */
export type ViewStatement = string;

export interface Reader {
  /** Rows as the database names their columns; bigint columns are numbers. */
  rows<Row>(view: ViewStatement, values?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 4;
const STATEMENT_TIMEOUT_MS = 15_000;
/**
 * Views read a page from an index, in its order. They are planned anew each time, for what is asked differs (a day or all time, any status), and so that no plan
 * outlives the tables it was made for; what is off here would read and sort whole tables wherever the statistics make them look small.
 */
const VIEW_SETTINGS = {
  default_transaction_read_only: "on",
  plan_cache_mode: "force_custom_plan",
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  enable_sort: "off",
};
const PATIENCE_MS = 8_000;

export function createReader({ connection, log, counters }: LinkNeeds, world: World): Reader {
  const pool = new pg.Pool({
    ...clientConfig(connection, "views"),
    max: MOST_CONNECTIONS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    options: Object.entries(VIEW_SETTINGS)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(" "),
    idleTimeoutMillis: 30_000,
  });
  pool.on("error", (error) => log.debug("an idle view connection broke", { error }));
  return {
    async rows<Row>(view: ViewStatement, values: readonly unknown[] = []): Promise<Row[]> {
      const { name, text } = statement(`views/${view}`);
      counters.statement(name);
      const result = await persist(world, PATIENCE_MS, () => pool.query({ name, text, values: [...values] }));
      return result.rows as Row[];
    },
    close: () => pool.end(),
  };
}
