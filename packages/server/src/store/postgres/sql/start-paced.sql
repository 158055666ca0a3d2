-- Counts starts at gates with a pace: their schedule moves on. The check on gates refuses one start too many, whatever the caller thinks.
-- Called by gates.ts inside a claim's transaction, which has locked the gates: $1 JSON array of (gate, count), $2 now. Served by gates_pkey.
update gates g set
  next_us = greatest(coalesce(g.next_us, 0), $2::bigint * 1000) + i.count * paced_step(g.capacity, g.period_ms),
  last_us = $2::bigint * 1000,
  step_us = paced_step(g.capacity, g.period_ms)
from json_to_recordset($1::json) as i(gate text, count integer)
where g.id = any (array[i.gate])
