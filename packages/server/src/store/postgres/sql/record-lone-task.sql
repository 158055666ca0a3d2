-- Records one report of an execution that still holds its run's work, for the commonest batch of all: one task, reported for the first time. It leaves
-- out the rule for a task that is there already, which costs as much as the insert. Answers one row if it stored the task; after none, record-task.sql
-- does the whole of it.
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
on conflict do nothing
returning 1 as written
