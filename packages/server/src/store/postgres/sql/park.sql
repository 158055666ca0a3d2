-- Parks claimed runs that found no slot: their work goes until they are invited. One that was parked at this gate before keeps its turn; from another gate it
-- comes at the turn this one has come to; a run that has executed already goes before those that have not begun.
-- Called by gates.ts inside a claim's transaction, which has locked work and gates: $1 JSON array of (run_id, gate, queue, priority, turn, began). Served by work_pkey
-- and parked_pkey.
with input as materialized (
  select * from json_to_recordset($1::json) as i(run_id text, gate text, queue text, priority integer, turn bigint, began boolean)
),
dropped as (
  delete from work where id = any (array(select run_id from input))
)
insert into parked as k (run_id, gate, queue, priority, turn, invited)
select i.run_id, i.gate, i.queue, i.priority, case when p.run_id is null and i.began then 0 else i.turn end, false
from input i
left join lateral (select k.run_id from parked k where k.run_id = i.run_id offset 0) p on true
order by i.run_id
on conflict (run_id) do update set
  turn = case when k.gate = excluded.gate then k.turn else excluded.turn end,
  gate = excluded.gate, queue = excluded.queue, invited = false
