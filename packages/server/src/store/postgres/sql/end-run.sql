-- Ends runs whose last reports came before: what change-run.sql does for the commonest change, with a third of its parts. A change whose revision is not the
-- run's any more does nothing and is not answered; the others are, with the queues in which what awaited that end became due.
-- Called by change-run.ts with a JSON array sorted by run: $1 changes.
-- The work rows are locked first, as claims and reports do, by a sub-select that is asked once a statement and not once a row. Open tasks are looked for and
-- canceled as in change-run.sql. Served by work_pkey, the primary keys of the week's runs and tasks, tasks_open and outbound_by_run.
with input as materialized (
  select *
  from json_to_recordset($1::json) as i(
    id text, revision integer, at bigint, status text, finished_at bigint, output_text text, outcome_text text,
    started_at bigint, executions integer, execution_ms double precision, failures integer, losses integer, yields_text text, cancel_at bigint
  )
),
locked as materialized (
  select id from work where id = any (array(select id from input)) order by id || '' for update
),
ended as (
  update runs_of_week r set
    updated_at = i.at, revision = i.revision + 1, status = i.status, state_kind = 'finished', cause = null, due_at = null,
    token = null, since = null, finished_at = i.finished_at, output_text = i.output_text, outcome_text = i.outcome_text,
    started_at = i.started_at, executions = i.executions, execution_ms = i.execution_ms, failures = i.failures, losses = i.losses,
    yields_text = i.yields_text
  from input i
  where r.id = any (array[i.id]) and r.revision = i.revision and (select count(*) from locked) is not null
  returning r.id, i.at, i.cancel_at
),
rested as (
  delete from work where id = any (array(select id from ended))
),
canceled as (
  insert into tasks_of_week as t (run_id, key, id, name, noop, status, attempts, started_at, completed_at, position)
  select o.run_id, o.key, o.id, o.name, o.noop, 'CANCELED', o.attempts, o.started_at, e.cancel_at, o.position
  from ended e
  cross join lateral (select * from tasks_of_week where run_id = e.id and status in ('PENDING', 'WAITING', 'RUNNING') offset 0) o
  on conflict (run_id, key) do update set status = excluded.status, completed_at = excluded.completed_at
  where t.status in ('PENDING', 'WAITING', 'RUNNING')
),
told as (
  insert into work (id, kind, queue, due_at, attempts)
  select o.id, 'outbound', o.queue, e.at, 0
  from ended e
  cross join lateral (select o.id, o.queue from outbound o where o.run_id = e.id and o.awaits_end offset 0) o
  on conflict (id) do nothing
)
select e.id, (select array_agg(distinct o.queue) from outbound o where o.run_id = e.id and o.awaits_end) as due
from ended e
