-- Parks claimed runs that found no slot: their work goes until they are invited.
-- Called by gates.ts inside a claim's transaction, which has locked work and gates: $1 JSON array of (run_id, gate, queue, priority). Served by work_pkey and
-- parked_pkey.
with input as materialized (
  select * from json_to_recordset($1::json) as i(run_id text, gate text, queue text, priority integer)
),
dropped as (
  delete from work where id in (select run_id from input)
)
insert into parked (run_id, gate, queue, priority, invited)
select run_id, gate, queue, priority, false from input order by run_id
on conflict (run_id) do update set gate = excluded.gate, queue = excluded.queue, invited = false
