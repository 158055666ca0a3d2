-- Locks doors in the order of their ids, making those that are missing, and answers how they stand.
-- Called by doors.ts inside an intake's transaction: $1 their ids, sorted. Served by doors_pkey.
insert into doors as d (id, starts, idle_at) select id, 0, 0 from unnest($1::text[]) as i(id) order by id
on conflict (id) do update set idle_at = d.idle_at
returning id, starts, last_at, run_id, event_id, since, due_at
