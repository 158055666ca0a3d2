-- Records one report of an execution that still holds its run's work: what record-task.sql does, in half the work for the database, for the commonest
-- batch of all. Answers one row if it changed something; none means either kept or stale, which record-task.sql then tells apart.
-- Called by record-task.ts: $1–$17 the columns of the task, $18 token. Served by work_pkey (or work_by_token) and the primary key of the week's tasks.
insert into tasks_of_week as t (
  run_id, key, id, parent_id, name, display_key, noop, status, attempts,
  started_at, completed_at, delay_until, output_text, error_text, details_text, failures_text, position
)
select
  $1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::boolean, $8::text, $9::integer,
  $10::bigint, $11::bigint, $12::bigint, $13::text, $14::text, $15::text, $16::text, $17::bigint
from work w
where w.id = $1 and w.token = $18::text
for no key update of w
/* merge-task */
returning 1 as written
