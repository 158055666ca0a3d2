-- Notes which events started no run of a job, and why. Called by doors.ts inside an intake's transaction: $1 JSON array. Served by skips_pkey.
insert into skips (event_id, job_id, environment_id, at, reason, until_at, by_event_id)
select event_id, job_id, environment_id, at, reason, until_at, by_event_id
from json_to_recordset($1::json) as i(
  event_id text, job_id text, environment_id text, at bigint, reason text, until_at bigint, by_event_id text
)
order by event_id, job_id
on conflict (event_id, job_id) do nothing
