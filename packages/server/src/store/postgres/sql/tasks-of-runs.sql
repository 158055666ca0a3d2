-- The first tasks of several runs of one week, in order of position: $1 runs, $2 at most of each, $3 none behind so many bytes of outputs. Called by
-- first-pages.ts, when runs wake together. Served by tasks_by_position of the week; how long an output is, is known without reading it.
select t.*
from unnest($1::text[]) as asked(run_id)
cross join lateral (
  select * from (
    select *, sum(octet_length(output_text)) over (order by position, key rows between unbounded preceding and 1 preceding) as bytes_before
    from tasks_of_week
    where run_id || '' = asked.run_id
    order by position, key
    limit $2
  ) page
  where bytes_before is null or bytes_before < $3::bigint
  order by position, key
) t
