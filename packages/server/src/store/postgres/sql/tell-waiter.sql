-- Who waits for an event is sent it: the request to be made takes its place, so that of several events at once one is told. Nothing if it waits no more.
-- Called by outside.ts: $1 its id, $2 the request as JSON, $3 when it is due. Served by waiters_by_id, outbound_pkey and work_pkey.
with taken as (
  delete from waiters where id || '' = any (array[$1::text]) returning id
),
added as (
  insert into outbound (id, environment_id, kind, queue, run_id, request_text, created_at, awaits_end)
  select * from json_to_record($2::json) as o(
    id text, environment_id text, kind text, queue text, run_id text, request_text text, created_at bigint, awaits_end boolean
  )
  where exists (select from taken)
  on conflict (id) do nothing
  returning id, queue
)
insert into work (id, kind, queue, due_at, attempts)
select id, 'outbound', queue, $3, 0 from added
on conflict (id) do nothing
