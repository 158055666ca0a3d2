-- v2's create-or-return. A finished run gets the task CANCELED; a CANCELED or PENDING task of an unfinished run takes the status given.
-- Called by open-task.ts, one row a (run, key). Answers a row for every run found;
-- its run_id is null when another server created the task a moment ago: ask again.
-- Served by the primary keys of the week's runs and tasks.
with open_run as materialized (
  select i.*, r.state_kind = 'finished' as finished
  from json_to_recordset($1::json) as i(environment_id text, /* task-columns */)
  join runs_of_week r on r.id = i.run_id and r.environment_id = i.environment_id
  for no key update of r
),
opened as (
  insert into tasks_of_week as t (
    run_id, key, id, parent_id, name, display_key, noop, status, attempts,
    started_at, completed_at, delay_until, output_text, error_text, details_text, failures_text, position
  )
  select
    run_id, key, id, parent_id, name, display_key, noop, case when finished then 'CANCELED' else status end, attempts,
    started_at, case when finished then coalesce(completed_at, started_at) else completed_at end,
    delay_until, case when not finished then output_text end, case when not finished then error_text end,
    details_text, failures_text, position
  from open_run
  on conflict (run_id, key) do update set
    status = excluded.status,
    completed_at = excluded.completed_at,
    delay_until = coalesce(t.delay_until, excluded.delay_until),
    output_text = null,
    error_text = null
  where t.status in ('CANCELED', 'PENDING')
    and excluded.status <> 'CANCELED'
  returning t.*, (t.xmax = 0) as created
),
answer as (
  select * from opened
  union all
  select t.*, false
  from open_run i
  join tasks_of_week t on t.run_id = i.run_id and t.key = i.key
  where not exists (select 1 from opened o where o.run_id = i.run_id and o.key = i.key)
)
select i.run_id as asked_run_id, i.key as asked_key, a.*
from open_run i
left join answer a on a.run_id = i.run_id and a.key = i.key
