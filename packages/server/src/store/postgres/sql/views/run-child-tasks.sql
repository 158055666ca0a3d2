-- Called by views/tasks.ts for v2's GET runs/:id with subtasks: the children of some tasks. Index: tasks_by_position (run_id, position).
-- $1 run, $2 ids of parents, $3 limit
select * from tasks where run_id = $1::text and parent_id = any($2::text[]) order by position limit $3::integer
