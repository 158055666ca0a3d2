-- For each queue: when its first work of the future is due, and whether more is due now than $1 asks for.
-- Called by claim.ts beside claim-work.sql: $1 JSON array of (queue, max), $2 now. Served by work_due.
select
  q.queue,
  (select due_at from work where work.queue = q.queue and due_at > $2 order by due_at limit 1) as next_due_at,
  (select true from work where work.queue = q.queue and due_at <= $2 order by due_at offset q.max limit 1) as more
from json_to_recordset($1::json) as q(queue text, max integer)
