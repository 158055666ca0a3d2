-- Stores events nobody has sent before, with the runs they start, each whole or not at all. Answers the row ids of those it stored, and which somebody waits for; for the rest (their id
-- is taken) intake.sql finds out more.
-- Called by quick-intake.ts, all of one week, sorted by event key: $1 one JSON row an event, $2 and $3 payload and context by position, $4 runs with their
-- work. Served by event_keys_pkey and waiters_pkey.
with input as materialized (
  select *
  from json_to_recordset($1::json) as i(
    n integer, id text, environment_id text, event_id text, name text, source text, payload_type text, timestamp bigint, created_at bigint,
    delivered_at bigint, account_id text, is_test boolean, delivery_id text
  )
),
keyed as (
  insert into event_keys (environment_id, event_id, event_row_id, created_at)
  select environment_id, event_id, id, created_at from input
  on conflict do nothing
  returning event_row_id
),
fresh as materialized (
  select * from input where (select jsonb_object_agg(event_row_id, true) from keyed) ? id
),
/* store-fresh */
