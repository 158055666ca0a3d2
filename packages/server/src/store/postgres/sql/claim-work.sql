-- Locks due work, oldest first within each queue, leaving out what other claims hold.
-- Called by claim.ts inside its transaction: $1 JSON array of (queue, max), $2 now. Served by work_due; costs as many rows as it answers.
select w.*
from json_to_recordset($1::json) as q(queue text, max integer)
cross join lateral (
  select id, kind, queue, attempts
  from work
  where work.queue = q.queue and due_at <= $2
  order by due_at
  limit q.max
  for update skip locked
) w
