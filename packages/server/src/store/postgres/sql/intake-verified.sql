-- Stores the events of requests whose verdict is in, with the runs they start, each whole or not at all: the request becomes verified and its work, which
-- the claim's token must still hold, goes. Answers the row ids of the events it stored, and which somebody waits for; for the rest (the claim is lost, or the id is taken) intake.sql
-- finds out more.
-- Called by quick-intake.ts, all of one week, sorted by event key: $1 one JSON row an event, $2 and $3 payload and context by position, $4 runs with their
-- work. Served by work_pkey, event_keys_pkey, waiters_pkey and the primary key of the week's deliveries.
with input as materialized (
  select *
  from json_to_recordset($1::json) as i(
    n integer, id text, environment_id text, event_id text, name text, source text, payload_type text, timestamp bigint, created_at bigint,
    delivered_at bigint, account_id text, is_test boolean, delivery_id text, request_id text, done_token text, reason text, status integer
  )
),
held as materialized (
  select i.* from input i join work w on w.id = any (array[i.request_id]) and w.token is not distinct from i.done_token and i.done_token is not null
  for update of w
),
keyed as (
  insert into event_keys (environment_id, event_id, event_row_id, created_at)
  select environment_id, event_id, id, created_at from held
  on conflict do nothing
  returning event_row_id
),
fresh as materialized (
  select * from held where (select jsonb_object_agg(event_row_id, true) from keyed) ? id
),
removed as (
  delete from work where id = any (array(select request_id from fresh))
),
judged as (
  update deliveries_of_week d set verdict = 'verified', reason = f.reason, status = f.status, event_row_id = f.id
  from fresh f where d.id = any (array[f.request_id])
),
/* store-fresh */
