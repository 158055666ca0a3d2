-- Records reports of executions that still hold their run's work.
-- Called by record-task.ts with one JSON array a batch, sorted by run; answers every fenced report, and once more each one that changed its task.
-- The fence is the work row: its token is the current claim's, and it stays locked until the commit, so that no other claim or change of the run can pass
-- in between. Served by work_pkey and the primary key of the week's tasks: neither partitions nor history matter.
with held as materialized (
  select i.*
  from json_to_recordset($1::json) as i(token text, /* task-columns */)
  join work w on w.id = any (array[i.run_id]) and w.token is not distinct from i.token and i.token is not null
  for no key update of w
),
written as (
  insert into tasks_of_week as t (
    run_id, key, id, parent_id, name, display_key, noop, status, attempts,
    started_at, completed_at, delay_until, output_text, error_text, details_text, failures_text, position
  )
  select
    run_id, key, id, parent_id, name, display_key, noop, status, attempts,
    started_at, completed_at, delay_until, output_text, error_text, details_text, failures_text, position
  from held
  /* merge-task */
  returning run_id, key
)
select run_id, key, false as written from held
union all
select run_id, key, true from written
