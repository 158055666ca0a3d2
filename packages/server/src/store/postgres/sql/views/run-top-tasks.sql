-- Called by views/tasks.ts for v2's GET runs/:id: tasks without a parent, from one task on (itself included). Index: tasks_by_position (run_id, position).
-- $1 run, $2 id of the first task or null, $3 limit
with first as materialized (select position, key from tasks where run_id = $1::text and id = $2::text limit 1)
select * from tasks
where run_id = $1::text and parent_id is null
  and (position, key) >= (coalesce((select position from first), 0), coalesce((select key from first), ''))
order by position, key limit $3::integer
