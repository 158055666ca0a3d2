-- The first tasks of several runs of one week, in order of position: $1 runs, $2 at most of each. Called by first-pages.ts, when runs wake together.
-- Served by tasks_by_position of the week.
select t.*
from unnest($1::text[]) as asked(run_id)
cross join lateral (
  select * from tasks_of_week
  where run_id = asked.run_id
  order by position, key
  limit $2
) t
