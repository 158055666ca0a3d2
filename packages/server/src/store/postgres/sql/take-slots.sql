-- Gives slots to runs that begin to execute; they are parked no more. The check on gates refuses one slot too many, whatever the caller thinks.
-- Called by gates.ts inside a claim's transaction, which has locked the gates: $1 JSON array of (run_id, gate), $2 the runs. Served by slots_pkey, parked_pkey, gates_pkey.
with input as materialized (
  select * from json_to_recordset($1::json) as i(run_id text, gate text)
),
taken as (
  insert into slots (run_id, gate) select run_id, gate from input order by run_id, gate
  returning gate
),
left_parking as (
  delete from parked where run_id = any($2::text[])
)
update gates g set used = g.used + n.count
from (select gate, count(*)::integer as count from taken group by gate) n
where g.id = any (array[n.gate])
