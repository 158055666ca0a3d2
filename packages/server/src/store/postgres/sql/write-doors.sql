-- How doors stand now. Called by doors.ts inside an intake's transaction, which has locked them: $1 JSON array. Served by doors_pkey.
update doors d set
  starts = i.starts, last_at = i.last_at, run_id = i.run_id, event_id = i.event_id, since = i.since, due_at = i.due_at,
  idle_at = greatest(d.idle_at, i.idle_at)
from json_to_recordset($1::json) as i(
  id text, starts bigint, last_at bigint, run_id text, event_id text, since bigint, due_at bigint, idle_at bigint
)
where d.id = any (array[i.id])
