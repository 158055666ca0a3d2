-- Parks runs that were stored just now, in this transaction, and notes the turns given to their keys. A run stored by an earlier try of the same intake is
-- parked, at work or past that already, and a run of a duplicate was not stored.
-- Called by intake.ts, which has locked the gates: $1 JSON array of (run_id, gate, queue, priority, turn, turn_of). Served by the primary keys of the week's runs,
-- of work, parked and gates.
with input as materialized (
  select * from json_to_recordset($1::json) as i(run_id text, gate text, queue text, priority integer, turn bigint, turn_of text)
),
added as (
  insert into parked (run_id, gate, queue, priority, turn, invited)
  select i.run_id, i.gate, i.queue, i.priority, i.turn, false
  from input i
  where exists (select 1 from runs r where r.id = i.run_id and r.revision = 0 and r.state_kind = 'queued' offset 0)
    and not exists (select 1 from work w where w.id = i.run_id offset 0)
  order by i.run_id
  on conflict (run_id) do nothing
  returning run_id
)
update gates g set turn = greatest(g.turn, n.turn)
from (
  select i.turn_of, max(i.turn) as turn from added a join input i on i.run_id = a.run_id where i.turn_of is not null group by i.turn_of
) n
where g.id = any (array[n.turn_of])
