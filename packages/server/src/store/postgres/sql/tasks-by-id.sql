-- Tasks of a run by their ids: $1 run, $2 ids. Called by reads.ts. An id is task_ + the first 26 characters of the key wherever the key is a hash, so the
-- primary key of the week's tasks serves it whatever the length of the run; tasks-by-odd-id.sql finds the rest.
select t.*
from unnest($2::text[]) as asked(id)
cross join lateral (
  select * from tasks_of_week
  where run_id = $1 and key >= substr(asked.id, 6) and key < substr(asked.id, 6) || '~' and id = asked.id
  limit 1
) t
