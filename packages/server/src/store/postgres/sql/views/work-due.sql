-- Called by views/overview.ts and for GET /metrics: how much work of some queues is due, by kind, and since when. Index: work_due (queue, due_at).
-- What is urgent is put ahead of its time by multiples of 1e9 ms (the engine's aheadOf), which are taken off again here. $1 queues, $2 now
select kind, count(*) as due,
  min(due_at + greatest(0, ceil(($2::bigint - 1000000000 - due_at) / 1000000000.0)::bigint) * 1000000000) as oldest
from work where queue = any($1::text[]) and due_at <= $2::bigint
group by kind
