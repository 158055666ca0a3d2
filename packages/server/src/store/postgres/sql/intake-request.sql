-- Stores requests that wait for their verdict, each with the work of asking for it: the commonest intake without an event. A request that is there already
-- is left as it is.
-- Called by quick-intake.ts, all of one week: $1 one JSON row a request, $2 bodies by position. Served by the primary keys of the week's deliveries and of
-- work.
with input as materialized (
  select *
  from json_to_recordset($1::json) as i(
    n integer, id text, environment_id text, endpoint_id text, received_at bigint, method text, url text, headers_text text, size bigint,
    reason text, status integer, sender_id text, queue text, due_at bigint, token text, owner text
  )
),
requests as (
  insert into deliveries_of_week (
    id, environment_id, endpoint_id, received_at, method, url, headers_text, body, size, verdict, reason, status, sender_id, event_row_id
  )
  select
    id, environment_id, endpoint_id, received_at, method, url, headers_text, ($2::bytea[])[n], size, 'pending', reason, status, sender_id, null
  from input
  on conflict (id) do nothing
  returning id
)
insert into work (id, kind, queue, due_at, token, owner, attempts)
select id, 'delivery', queue, due_at, token, owner, 0
from input
where (select jsonb_object_agg(id, true) from requests) ? id
on conflict (id) do nothing
