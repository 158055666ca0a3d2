-- Records reports of v2 clients, which name no execution: their run must be unfinished, and stays so until the commit.
-- Called by record-task.ts like record-task.sql. Served by the primary keys of the week's runs and tasks.
with held as materialized (
  select i.*
  from json_to_recordset($1::json) as i(token text, /* task-columns */)
  join runs_of_week r on r.id = any (array[i.run_id]) and r.state_kind <> 'finished'
  for no key update of r
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
