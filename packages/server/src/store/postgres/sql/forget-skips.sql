-- Forgets at most $2 skips noted before $1: their events are no longer kept. Called by partitions.ts. Reads the table whole, rarely.
delete from skips where (event_id, job_id) in (select event_id, job_id from skips where at < $1::bigint limit $2)
