-- Stores requests, events and the runs they start, each intake whole or not at all.
-- Called by intake.ts, sorted by event key: $1 one JSON row an intake, $2–$4 its payload, context and body by position, $5 runs, $6 work.
-- Answers for each intake whether its finished work was still its claim's (held) and whose the event key is (key_row; null for an event that needs
-- one: another batch is storing the same id at this moment, ask again, for which the finished work stays). Rows of work are added only by the intake
-- that is the first to store their subject, so that a repeated intake revives nothing. Large values are fetched from their arrays only where they are
-- stored. What one part found out the next looks up by key in one object, so that the cost grows with the batch and not with its square.
-- Served by the primary keys of work, event_keys, waiters and the current weeks.
with input as materialized (
  select *
  from json_to_recordset($1::json) as i(
    n integer, done_id text, done_token text,
    event_row_id text, environment_id text, event_id text, name text, source text, payload_type text, timestamp bigint, created_at bigint,
    deliver_at bigint, delivered_at bigint, canceled_at bigint, account_id text, is_test boolean, delivery_id text, source_text text,
    request_id text, request_environment_id text, endpoint_id text, received_at bigint, method text, url text, headers_text text, size bigint,
    verdict text, reason text, status integer, sender_id text, request_event_row_id text
  )
),
finished as materialized (
  select i.n
  from input i
  join work w on w.id = any (array[i.done_id]) and w.token is not distinct from i.done_token and i.done_token is not null
  for update of w
),
begun as materialized (
  select
    i.*,
    environment_id || ' ' || event_id as event_key,
    done_id is null or coalesce((select jsonb_object_agg(n, true) from finished) ? n::text, false) as held
  from input i
),
keyed as (
  insert into event_keys (environment_id, event_id, event_row_id, created_at)
  select environment_id, event_id, event_row_id, created_at
  from begun
  where event_row_id is not null and held
  on conflict do nothing
  returning environment_id || ' ' || event_id as event_key, event_row_id
),
looked_up as (
  select b.*, (select jsonb_object_agg(event_key, event_row_id) from keyed) ->> b.event_key as own_key_row, e.event_row_id as former_key_row
  from begun b
  left join lateral (
    select k.event_row_id from event_keys k where k.environment_id = b.environment_id and k.event_id = b.event_id offset 0
  ) e on true
),
decided as materialized (
  select l.*, coalesce(own_key_row, former_key_row) as key_row, coalesce(own_key_row = event_row_id, false) as fresh
  from looked_up l
),
settled as materialized (
  select d.*, event_row_id is not null and key_row <> event_row_id as duplicate
  from decided d
  where held and (event_row_id is null or key_row is not null)
),
storing as materialized (
  select coalesce(jsonb_object_agg(n, fresh), '{}') as by_n from settled where not duplicate
),
removed as (
  delete from work where id = any (array(select done_id from settled))
),
requests as (
  insert into deliveries as d (
    id, environment_id, endpoint_id, received_at, method, url, headers_text, body, size, verdict, reason, status, sender_id, event_row_id
  )
  select
    request_id, request_environment_id, endpoint_id, received_at, method, url, headers_text, ($4::bytea[])[n], size,
    case when duplicate then 'duplicate' else verdict end,
    case when duplicate then 'An event with this id was stored before: ' || key_row else reason end,
    status, sender_id,
    case when duplicate then key_row else request_event_row_id end
  from settled where request_id is not null
  on conflict (id) do update set
    verdict = excluded.verdict, reason = excluded.reason, status = excluded.status, event_row_id = excluded.event_row_id
  where excluded.verdict <> 'pending'
  returning id, verdict
),
stored_events as (
  insert into events as e (
    id, environment_id, event_id, name, source, payload_text, context_text, payload_type, timestamp, created_at,
    deliver_at, delivered_at, canceled_at, account_id, is_test, delivery_id, source_text
  )
  select
    event_row_id, environment_id, event_id, name, source, ($2::text[])[n], ($3::text[])[n], payload_type, timestamp, created_at,
    deliver_at, delivered_at, canceled_at, account_id, is_test, delivery_id, source_text
  from settled where event_row_id is not null and not duplicate
  on conflict (id) do update set
    delivered_at = coalesce(e.delivered_at, excluded.delivered_at), canceled_at = coalesce(e.canceled_at, excluded.canceled_at)
  where e.delivered_at is null and excluded.delivered_at is not null or e.canceled_at is null and excluded.canceled_at is not null
),
new_runs as (
  insert into runs (
    id, environment_id, app_id, job_id, job_name, job_version, event_row_id, delivery_id, is_test, created_at, updated_at, revision,
    status, state_kind, cause, due_at, token, since, finished_at, output_text, outcome_text,
    started_at, executions, execution_ms, failures, losses, yields_text, flow_text
  )
  select
    r.id, r.environment_id, r.app_id, r.job_id, r.job_name, r.job_version, r.event_row_id, r.delivery_id, r.is_test, r.created_at, r.updated_at,
    r.revision, r.status, r.state_kind, r.cause, r.due_at, r.token, r.since, r.finished_at, r.output_text, r.outcome_text,
    r.started_at, r.executions, r.execution_ms, r.failures, r.losses, r.yields_text, r.flow_text
  from json_to_recordset($5::json) as r(
    n integer, id text, environment_id text, app_id text, job_id text, job_name text, job_version text, event_row_id text, delivery_id text,
    is_test boolean, created_at bigint, updated_at bigint, revision integer, flow_text text,
    /* run-state-columns */
  )
  where (select by_n from storing) ? r.n::text
  on conflict (id) do nothing
  returning id
),
new_work as (
  insert into work (id, kind, queue, due_at, token, owner, attempts)
  select w.id, w.kind, w.queue, w.due_at, w.token, w.owner, 0
  from json_to_recordset($6::json) as w(n integer, id text, kind text, queue text, due_at bigint, token text, owner text)
  where (select by_n from storing) ? w.n::text and case w.kind
    when 'run' then (select jsonb_object_agg(id, true) from new_runs) ? w.id
    when 'delivery' then (select jsonb_object_agg(id, true) from requests where verdict = 'pending') ? w.id
    else ((select by_n from storing) ->> w.n::text)::boolean
  end
  on conflict (id) do nothing
),
awaited as (
  insert into work (id, kind, queue, due_at, attempts)
  select s.event_row_id || ':waiters', 'waiters', '@events:' || s.environment_id, s.delivered_at, 0
  from settled s
  where not duplicate and s.delivered_at is not null and s.canceled_at is null and (s.fresh or s.done_id is not null)
    and exists (select 1 from waiters w where w.environment_id = s.environment_id and w.name = s.name offset 0)
  on conflict (id) do nothing
  returning id
)
select n, held, key_row, coalesce((select jsonb_object_agg(id, true) from awaited) ? (event_row_id || ':waiters'), false) as awaited
from decided
