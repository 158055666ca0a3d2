-- The newest event with this sender's id in any environment: $1 the sender's id. Called by reads.ts. Environments are few: served by event_keys_pkey, and
-- not by the order of age (+ 0 keeps it so).
select k.event_row_id
from environments e
join event_keys k on k.environment_id = any (array[e.id]) and k.event_id = $1
order by k.created_at + 0 desc
limit 1
