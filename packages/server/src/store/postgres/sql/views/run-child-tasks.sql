-- Called by views/tasks.ts for v2's GET runs/:id with subtasks: the children of some tasks. Index: tasks_by_position (run_id || '', position).
-- Texts behind $5 bytes of them are not read, nor are outputs that nobody asks for; see run-top-tasks.sql.
-- $1 run, $2 ids of parents, $3 limit, $4 whether outputs are asked for, $5 bytes
with page as (
  select
    *, coalesce(octet_length(details_text), 0)
      + case when $4::boolean then coalesce(octet_length(output_text), 0) + coalesce(octet_length(error_text), 0) else 0 end as bytes
  from tasks
  where run_id = $1::text and run_id || '' = $1::text and parent_id = any($2::text[])
  order by position, key limit $3::integer
),
measured as (
  select *, bytes = 0 or coalesce(sum(bytes) over (order by position, key rows between unbounded preceding and 1 preceding), 0) < $5::bigint as fits
  from page
)
select
  id, parent_id, name, display_key, status, started_at, completed_at, bytes, fits, case when fits then details_text end as details_text,
  case when fits and $4 then output_text end as output_text, case when fits and $4 then error_text end as error_text
from measured
order by position, key
