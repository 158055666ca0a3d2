-- Called by views/tasks.ts for v2's GET runs/:id: tasks without a parent, from one task on (itself included). Index: tasks_by_position (run_id, position).
-- $1 run, $2 id of the first task or null, $3 limit
select * from tasks t
where t.run_id = $1::text and t.parent_id is null
  and t.position >= coalesce((select c.position from tasks c where c.run_id = $1::text and c.id = $2::text limit 1), 0)
order by t.position limit $3::integer
