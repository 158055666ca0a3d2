-- Called by views/tasks.ts: one page of a run's tasks in order of start. Index: tasks_by_position (run_id, position).
-- $1 run, $2 position to start behind, $3 limit
select * from tasks where run_id = $1::text and position > $2::bigint order by position limit $3::integer
