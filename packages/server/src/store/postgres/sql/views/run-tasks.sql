-- Called by views/tasks.ts: one page of a run's tasks in order of start. Index: tasks_by_position (run_id, position).
-- $1 run, $2 and $3 position and key of the task to start behind, $4 limit
select * from tasks where run_id = $1::text and (position, key) > ($2::bigint, $3::text) order by position, key limit $4::integer
