// A crowd of rows in every table that statements of the hot path read: other runs in every state, their tasks, work, keys, waiters, slots, starts and the rest,
// half of them in the tests' environment, queue, gate and job, half elsewhere. Called by plans.test.ts, by number, so that a crowd can grow.
import type pg from "pg";
import { ENVIRONMENT, NOW, world } from "../samples.conformance.ts";
import { weekAt, weekName } from "./weeks.ts";

/** Names of what the crowd shares with those who ask. */
export const CROWDED = { queue: "crowded", gate: "crowded gate", event: "crowded.event", integration: "crowded" } as const;

const numbered = (kind: "run" | "event" | "delivery"): string => `'${world.newId(kind).slice(0, -7)}' || lpad(i::text, 7, '0')`;
const [RUN, EVENT, DELIVERY] = [numbered("run"), numbered("event"), numbered("delivery")];
const HALF = `case when i % 2 = 0 then '${ENVIRONMENT}' else 'env_other' end`;
const table = (name: string): string => weekName(name, weekAt(NOW));

/** i % 4 of a run's number: 0 finished, 1 queued, 2 waiting, 3 executing. */
const KIND = "(array['finished', 'queued', 'waiting', 'executing'])[i % 4 + 1]";
const STATUS = "(array['SUCCESS', 'QUEUED', 'WAITING_TO_CONTINUE', 'EXECUTING'])[i % 4 + 1]";

const STATEMENTS = [
  `insert into ${table("events")} (id, environment_id, event_id, name, source, payload_text, payload_type, timestamp, created_at, delivered_at, is_test)
   select ${EVENT}, ${HALF}, ${EVENT}, 'user.created', 'clerk.com', '{}', 'JSON', ${NOW}, ${NOW}, ${NOW}, false from numbers`,
  `insert into event_keys select ${HALF}, ${EVENT}, ${EVENT}, ${NOW} from numbers`,
  `insert into ${table("deliveries")} (id, environment_id, endpoint_id, received_at, method, url, headers_text, body, size, verdict, status, event_row_id)
   select ${DELIVERY}, ${HALF}, 'ep_' || i % 2, ${NOW}, 'POST', '/', '[]', '', 0, 'verified', 200, ${EVENT} from numbers`,
  `insert into ${table("runs")} (id, environment_id, app_id, job_id, job_name, job_version, event_row_id, delivery_id, is_test, created_at, updated_at, revision,
     status, state_kind, token, since, due_at, finished_at, executions, execution_ms, failures, losses, yields_text)
   select ${RUN}, ${HALF}, '${CROWDED.queue}', case when i % 4 < 2 then 'job' else 'other' end, 'Job', '1', ${EVENT}, ${DELIVERY}, false, ${NOW}, ${NOW}, 1,
     ${STATUS}, ${KIND}, case when i % 4 = 3 then 'exe_crowd ' || i end, ${NOW}, ${NOW}, case when i % 4 = 0 then ${NOW} end, 1, 1, 0, 0, '[]' from numbers`,
  `insert into ${table("tasks")} (run_id, key, id, name, noop, status, attempts, started_at, completed_at, delay_until, output_text, position)
   select ${RUN}, s, 'task_' || s, 'step', false, s, 1, ${NOW}, case when s in ('COMPLETED', 'ERRORED') then ${NOW} end, ${NOW}, '1', 1
   from numbers cross join lateral unnest(case i % 4 when 0 then '{COMPLETED,ERRORED}' when 1 then '{CANCELED}' when 2 then '{COMPLETED,WAITING}' else '{PENDING,RUNNING}' end::text[]) s`,
  `insert into work (id, kind, queue, due_at, token, owner, attempts)
   select ${RUN}, 'run', '${CROWDED.queue}', ${NOW} + case i % 4 when 1 then - 1 - i when 2 then 1000000 else 15000 end,
     case when i % 4 = 3 then 'exe_crowd ' || i end, case when i % 4 = 3 then 'srv_1' end, 0 from numbers where i % 4 > 0`,
  `insert into work (id, kind, queue, due_at, attempts)
   select ${EVENT}, 'event', '@events:' || ${HALF}, ${NOW} + 3600000, 0 from numbers`,
  `insert into waiters select ${HALF}, case when i % 4 < 2 then '${CROWDED.event}' else 'other ' || i end, 'wtr_crowd ' || lpad(i::text, 7, '0'), '{}', ${NOW} + i + 1000000 from numbers`,
  `insert into outbound select 'out_' || ${RUN}, ${HALF}, 'run-to-app', '${CROWDED.queue}', ${RUN}, '{}', ${NOW}, true from numbers where i % 4 > 0`,
  `insert into statuses select ${RUN}, 'status', 'Status', null, null, '[]', ${NOW} from numbers`,
  `insert into key_values select ${HALF}, 'run:' || ${RUN}, '1', ${NOW} from numbers`,
  `insert into schedules select 'sch_' || i, ${HALF}, 'app_' || i % 2, 'users', 'key ' || i, '{}', null, null, 1, ${NOW}, null,
     ${NOW} + case when i % 4 < 2 then 1000000 + i else - 1000000 + i end, ${NOW} from numbers`,
  `insert into gates select 'gate ' || i, 'rule ' || i % 2, 2, 1, 2, i, ${NOW} from numbers on conflict do nothing`,
  `insert into slots select ${RUN}, case when i % 8 = 3 then 'gate ' || i else '${CROWDED.gate} held' end from numbers where i % 4 = 3`,
  `insert into parked select ${RUN}, case when i % 8 = 1 then 'gate ' || i % 64 else '${CROWDED.gate}' end, '${CROWDED.queue}', i % 3, i, i % 16 = 1 from numbers
   where i % 4 = 1`,
  `insert into doors select 'door ' || i, 1, ${NOW}, ${RUN}, ${EVENT}, ${NOW}, ${NOW}, ${NOW} + 1000000 from numbers on conflict do nothing`,
  `insert into starts select 'door ' || i, 0, ${NOW}, 0 from numbers`,
  `insert into skips select ${EVENT}, 'job', ${HALF}, ${NOW}, 'rate-limited', ${NOW}, null from numbers`,
  `insert into connections (environment_id, integration_id, account_id, id, status, scopes, refresh_at, leased_until, generation, revision, created_at, updated_at, ending_at)
   select ${HALF}, '${CROWDED.integration}', 'acc ' || lpad(i::text, 7, '0'), 'con_' || i, case when i % 4 < 2 then 'connected' else 'broken' end, '{}', ${NOW} + i, 0, 1, 1,
     ${NOW}, ${NOW}, case when i % 4 = 0 then ${NOW} + i end from numbers`,
  `insert into connection_waits select '${ENVIRONMENT}', '${CROWDED.integration}', '', ${RUN}, ${NOW} from numbers`,
  `insert into authorizations select 'hash ' || i, ${HALF}, '${CROWDED.integration}', '', '', ${NOW} + i from numbers`,
];

const DONE = `insert into ${table("tasks")} (run_id, key, id, name, noop, status, attempts, started_at, completed_at, output_text, position)
   select $1, 'done ' || lpad(i::text, 7, '0'), 'task_done ' || lpad(i::text, 7, '0'), 'step', false, 'COMPLETED', 1, ${NOW}, ${NOW}, '1', i from numbers`;

/** Adds the numbers from one to another; of each run that is given, so many more finished tasks. */
export async function crowd(client: pg.Client, from: number, to: number, long: readonly string[] = []): Promise<void> {
  await client.query(`insert into gates values ('${CROWDED.gate}', 'crowded', 3, 2, 3, 0, ${NOW}) on conflict do nothing`);
  await client.query("create temporary table if not exists numbers (i bigint)");
  await client.query("insert into numbers select generate_series($1::bigint, $2::bigint - 1)", [from, to]);
  for (const text of STATEMENTS) await client.query(text);
  for (const id of long) await client.query(DONE, [id]);
  await client.query("truncate numbers");
}
