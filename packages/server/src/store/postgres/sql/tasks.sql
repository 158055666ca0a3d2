-- A run's tasks in order of position: $1 run, $2 after this position, $3 statuses or null, $4 at most. Called by reads.ts.
-- Served by tasks_by_position of the week.
select * from tasks_of_week
where run_id = $1 and position > $2 and ($3::text[] is null or status = any($3))
order by position, key
limit $4
