-- Called by views/overview.ts and for GET /metrics: how much work of some queues is due, by kind, and since when. Index: work_due (queue, due_at).
-- $1 queues, $2 now
select kind, count(*) as due, min(due_at) as oldest
from work where queue = any($1::text[]) and due_at <= $2::bigint
group by kind
