-- A run's tasks that are open, in order of position: $1 run, $2 statuses, $3 at most. Called by reads.ts when callbacks and executions look for what waits.
-- Served by tasks_open of the week: what the run has behind it is not read.
select * from tasks_of_week
where run_id = $1 and status in ('PENDING', 'WAITING', 'RUNNING') and status = any($2::text[])
order by position, key
limit $3
