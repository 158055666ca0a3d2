-- Locks gates in the order of their ids, making those that are missing, and answers how many slots each has, how many are held and whose turn it is. A limit that was set for
-- the gate's rule counts from here on; the one given is for gates without. Of a gate with a pace, those that may start now are free.
-- Called by gates.ts inside its caller's transaction: $1 JSON array of (id, rule, capacity, period_ms, burst), $2 now. Served by gates_pkey and gate_limits_pkey.
insert into gates as g (id, rule, capacity, used, ceiling, turn, touched_at, period_ms, burst)
select i.id, i.rule, coalesce(l.capacity, i.capacity), 0, coalesce(l.capacity, i.capacity), 0, $2::bigint, i.period_ms, i.burst
from json_to_recordset($1::json) as i(id text, rule text, capacity integer, period_ms bigint, burst integer)
left join gate_limits l on l.rule = any (array[i.rule])
order by i.id
on conflict (id) do update set
  capacity = coalesce((select l.capacity from gate_limits l where l.rule = g.rule), g.capacity),
  ceiling = greatest(coalesce((select l.capacity from gate_limits l where l.rule = g.rule), g.capacity), g.used),
  touched_at = greatest(g.touched_at, excluded.touched_at)
returning
  id, capacity, turn,
  case
    when g.period_ms is null then used
    else capacity - paced_room(paced_step(capacity, g.period_ms), g.burst, g.next_us, $2::bigint)
  end as used
