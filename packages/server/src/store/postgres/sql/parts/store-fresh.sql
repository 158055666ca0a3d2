stored_events as (
  insert into events_of_week (
    id, environment_id, event_id, name, source, payload_text, context_text, payload_type, timestamp, created_at,
    deliver_at, delivered_at, canceled_at, account_id, is_test, delivery_id
  )
  select
    id, environment_id, event_id, name, source, ($2::text[])[n], ($3::text[])[n], payload_type, timestamp, created_at,
    null, delivered_at, null, account_id, is_test, delivery_id
  from fresh
),
fresh_runs as materialized (
  select r.*
  from json_to_recordset($4::json) as r(
    event_row_id text, id text, environment_id text, delivery_id text, is_test boolean, app_id text, job_id text, job_name text, job_version text,
    created_at bigint, updated_at bigint, status text, state_kind text, cause text, due_at bigint, token text, since bigint,
    started_at bigint, executions integer, work_due_at bigint, owner text
  )
  where (select jsonb_object_agg(id, true) from fresh) ? r.event_row_id
),
stored_runs as (
  insert into runs_of_week (
    id, environment_id, app_id, job_id, job_name, job_version, event_row_id, delivery_id, is_test, created_at, updated_at, revision,
    status, state_kind, cause, due_at, token, since, started_at, executions, execution_ms, failures, losses, yields_text
  )
  select
    id, environment_id, app_id, job_id, job_name, job_version, event_row_id, delivery_id, is_test, created_at, updated_at, 0,
    status, state_kind, cause, due_at, token, since, started_at, executions, 0, 0, 0, '[]'
  from fresh_runs
),
stored_work as (
  insert into work (id, kind, queue, due_at, token, owner, attempts)
  select id, 'run', app_id, work_due_at, token, owner, 0 from fresh_runs
),
awaited as (
  insert into work (id, kind, queue, due_at, attempts)
  select f.id || ':waiters', 'waiters', '@events:' || f.environment_id, f.created_at, 0
  from fresh f
  where exists (select 1 from waiters w where w.environment_id = f.environment_id and w.name = f.name offset 0)
  on conflict (id) do nothing
  returning id
)
select id, coalesce((select jsonb_object_agg(id, true) from awaited) ? (id || ':waiters'), false) as awaited
from fresh
