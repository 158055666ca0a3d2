-- Which debounced runs still wait for their time, untouched since they were made, and when they are due. Called by doors.ts inside an intake's transaction, which
-- has locked doors and work: $1 the ids of the doors. Served by doors_pkey, work_pkey and the primary key of runs.
select w.id, w.due_at
from doors d
join work w on w.id = any (array[d.run_id])
join runs r on r.id = any (array[d.run_id])
where d.id = any($1::text[]) and w.token is null and r.revision = 0
