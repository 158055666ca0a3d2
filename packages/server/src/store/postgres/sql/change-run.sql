-- Applies changes of runs: state, work row, reports that travel along, and what becomes of the run's other tasks. A change whose revision is not the run's
-- any more does nothing and is not answered; of one that ends its run the queues are answered in which what awaited that end became due. A task that is reported with the change is not settled, canceled or reopened by it.
-- Called by change-run.ts and claim.ts with JSON arrays sorted by run: $1 changes, $2 reports.
-- The work rows are locked first, as claims and reports do; that, and what was changed and reported, is asked once a statement (a sub-select of its own), not
-- once a row, or its cost would grow with the square of the batch. A run's open tasks are looked for run by run (offset 0 keeps it so) and changed as the
-- conflict of an insert, which is found by the primary key and no other index: whatever the statistics say, neither all open tasks nor a run's history is read.
-- Reopening alone reads all tasks of the run. Served by work_pkey, the primary keys of the week's runs and tasks, tasks_open and outbound_by_run.
with input as materialized (
  select *
  from json_to_recordset($1::json) as i(
    id text, revision integer, at bigint,
    /* run-state-columns */,
    queue text, work_due_at bigint, work_token text, owner text, claimed boolean,
    settle_at bigint, cancel_at bigint, reopen boolean, held boolean
  )
),
reports as materialized (
  select * from json_to_recordset($2::json) as i(/* task-columns */)
),
reported as materialized (
  select coalesce(jsonb_object_agg(run_id || ' ' || key, true), '{}') as by_task from reports
),
locked as materialized (
  select id from work where id = any (array(select id from input)) order by id || '' for update
),
changed as (
  update runs_of_week r set
    updated_at = i.at, revision = i.revision + 1, status = i.status, state_kind = i.state_kind, cause = i.cause, due_at = i.due_at,
    token = i.token, since = i.since, finished_at = i.finished_at, output_text = i.output_text, outcome_text = i.outcome_text,
    started_at = i.started_at, executions = i.executions, execution_ms = i.execution_ms, failures = i.failures, losses = i.losses,
    yields_text = i.yields_text
  from input i
  where r.id = any (array[i.id]) and r.revision = i.revision and (select count(*) from locked) is not null
  returning r.id, i.at, i.state_kind = 'finished' as finished, i.queue, i.work_due_at, i.work_token, i.owner, i.claimed, i.settle_at, i.cancel_at, i.reopen, i.held
),
rested as (
  delete from work where id = any (array(select id from changed where work_due_at is null and held is not true))
),
worked as (
  insert into work as w (id, kind, queue, due_at, token, owner, attempts)
  select id, 'run', queue, work_due_at, work_token, owner, case when claimed then 1 else 0 end
  from changed where work_due_at is not null
  on conflict (id) do update set
    queue = excluded.queue, due_at = excluded.due_at, token = excluded.token, owner = excluded.owner,
    attempts = case when excluded.attempts = 1 then w.attempts + 1 else 0 end
),
recorded as (
  insert into tasks_of_week as t (
    run_id, key, id, parent_id, name, display_key, noop, status, attempts,
    started_at, completed_at, delay_until, output_text, error_text, details_text, failures_text, position
  )
  select
    run_id, key, p.id, parent_id, name, display_key, noop, status, attempts,
    started_at, completed_at, delay_until, output_text, error_text, details_text, failures_text, position
  from reports p
  where (select jsonb_object_agg(id, true) from changed) ? p.run_id
  /* merge-task */
),
settled as (
  insert into tasks_of_week as t (run_id, key, id, name, noop, status, attempts, started_at, completed_at, position)
  select o.run_id, o.key, o.id, o.name, o.noop, 'COMPLETED', o.attempts, o.started_at, c.settle_at, o.position
  from changed c
  cross join lateral (select * from tasks_of_week where run_id = c.id and status = 'WAITING' offset 0) o
  where c.settle_at is not null and o.delay_until <= c.settle_at and not (select by_task from reported) ? (o.run_id || ' ' || o.key)
  on conflict (run_id, key) do update set
    status = case
      when t.noop then 'COMPLETED'
      when awaits_callback(t.attempts, t.details_text, t.failures_text) then 'ERRORED'
      else 'RUNNING'
    end,
    completed_at = case
      when t.noop or awaits_callback(t.attempts, t.details_text, t.failures_text) then excluded.completed_at
      else t.completed_at
    end,
    error_text = case
      when not t.noop and awaits_callback(t.attempts, t.details_text, t.failures_text)
        then '{"message":"Remote callback timeout - no requests received"}'
      else t.error_text
    end,
    attempts = t.attempts + case
      when t.noop or t.failures_text is null or awaits_callback(t.attempts, t.details_text, t.failures_text) then 0
      else 1
    end
  where t.status = 'WAITING' and t.delay_until <= excluded.completed_at
),
canceled as (
  insert into tasks_of_week as t (run_id, key, id, name, noop, status, attempts, started_at, completed_at, position)
  select o.run_id, o.key, o.id, o.name, o.noop, 'CANCELED', o.attempts, o.started_at, c.cancel_at, o.position
  from changed c
  cross join lateral (select * from tasks_of_week where run_id = c.id and status in ('PENDING', 'WAITING', 'RUNNING') offset 0) o
  where c.cancel_at is not null and not (select by_task from reported) ? (o.run_id || ' ' || o.key)
  on conflict (run_id, key) do update set status = excluded.status, completed_at = excluded.completed_at
  where t.status in ('PENDING', 'WAITING', 'RUNNING')
),
reopened as (
  insert into tasks_of_week as t (run_id, key, id, name, noop, status, attempts, started_at, completed_at, position)
  select o.run_id, o.key, o.id, o.name, o.noop, case when o.status = 'ERRORED' then 'RUNNING' else 'PENDING' end, o.attempts, o.started_at, null, o.position
  from changed c
  cross join lateral (select * from tasks_of_week where run_id = c.id and status in ('ERRORED', 'CANCELED') offset 0) o
  where c.reopen and not (select by_task from reported) ? (o.run_id || ' ' || o.key)
  on conflict (run_id, key) do update set
    status = case when t.status = 'ERRORED' then 'RUNNING' else 'PENDING' end,
    attempts = t.attempts + case when t.status = 'ERRORED' then 1 else 0 end,
    completed_at = null, output_text = null, error_text = null
  where t.status in ('ERRORED', 'CANCELED')
),
told as (
  insert into work (id, kind, queue, due_at, attempts)
  select o.id, 'outbound', o.queue, c.at, 0
  from changed c
  cross join lateral (select o.id, o.queue from outbound o where o.run_id = c.id and o.awaits_end offset 0) o
  where c.finished
  on conflict (id) do nothing
)
select c.id, case when c.finished then (select array_agg(distinct o.queue) from outbound o where o.run_id = c.id and o.awaits_end) end as due
from changed c
