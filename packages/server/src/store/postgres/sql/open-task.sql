-- v2's create-or-return. A finished run gets the task CANCELED; a CANCELED or PENDING task of an unfinished run takes the status given.
-- Called by open-task.ts, one row a (run, key). Answers a row for every run found;
-- its run_id is null when another server created the task a moment ago: ask again.
-- Served by the primary keys of the week's runs and tasks.
with open_run as materialized (
  select i.*, r.state_kind = 'finished' as finished
  from json_to_recordset($1::json) as i(environment_id text, /* task-columns */)
  join runs_of_week r on r.id = any (array[i.run_id]) and r.environment_id || '' = i.environment_id
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
)
select run_id as asked_run_id, key as asked_key, o.*
from opened o
union all
select i.run_id, i.key, t.*, case when t.run_id is not null then false end
from open_run i
left join lateral (
  select * from tasks_of_week where run_id = i.run_id and key = i.key offset 0
) t on true
where not coalesce((select jsonb_object_agg(run_id || ' ' || key, true) from opened) ? (i.run_id || ' ' || i.key), false)
