-- The jobs an event started no run of, and why. Called by reads.ts: $1 the event's row id. Served by skips_pkey.
select event_id, job_id, environment_id, at, reason, until_at, by_event_id from skips where event_id = $1 order by job_id
