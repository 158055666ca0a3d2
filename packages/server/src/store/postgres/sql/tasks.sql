-- A run's tasks in order of position: $1 run, $2 and $3 after the one with this position and key, $4 statuses or null, $5 at most. Called by reads.ts.
-- Served by tasks_by_position of the week.
select * from tasks_of_week
where run_id = $1 and (position, key) > ($2, $3) and ($4::text[] is null or status = any($4))
order by position, key
limit $5
