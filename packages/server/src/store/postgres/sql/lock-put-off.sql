-- Locks the work of debounced runs that were put off last, so that nobody begins them meanwhile. Called by doors.ts inside an intake's transaction, which has
-- locked the doors: $1 the ids of the doors. Served by doors_pkey and work_pkey.
select w.id
from doors d
join work w on w.id = any (array[d.run_id])
where d.id = any($1::text[])
order by w.id || ''
for update of w
