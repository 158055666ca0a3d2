-- Notes a request to be made, with its row of work unless it awaits the end of its run; one that is there already stays as it is.
-- Called by outside.ts: $1 the row as JSON, $2 when it is due. Served by outbound_pkey and work_pkey.
with added as (
  insert into outbound (id, environment_id, kind, queue, run_id, request_text, created_at, awaits_end)
  select * from json_to_record($1::json) as o(
    id text, environment_id text, kind text, queue text, run_id text, request_text text, created_at bigint, awaits_end boolean
  )
  on conflict (id) do nothing
  returning id, queue, awaits_end
)
insert into work (id, kind, queue, due_at, attempts)
select id, 'outbound', queue, $2, 0 from added where not awaits_end
on conflict (id) do nothing
