-- Called by views/tasks.ts for v2's GET runs/:id: tasks without a parent, from one task on (itself included). Index: tasks_by_position (run_id || '', position).
-- How long a text is, is known without reading it; those behind $5 bytes of texts are not read, nor are outputs that nobody asks for.
-- $1 run, $2 id of the first task or null, $3 limit, $4 whether outputs are asked for, $5 bytes
with first as materialized (select position, key from tasks where run_id = $1::text and id = $2::text limit 1),
page as (
  select
    *, coalesce(octet_length(details_text), 0)
      + case when $4::boolean then coalesce(octet_length(output_text), 0) + coalesce(octet_length(error_text), 0) else 0 end as bytes
  from tasks
  where run_id = $1::text and run_id || '' = $1::text and parent_id is null
    and (position, key) >= (coalesce((select position from first), 0), coalesce((select key from first), ''))
  order by position, key limit $3::integer
),
measured as (
  select *, coalesce(sum(bytes) over (order by position, key rows between unbounded preceding and 1 preceding), 0) < $5::bigint as fits
  from page
)
select
  id, parent_id, name, display_key, status, started_at, completed_at, bytes, fits, case when fits then details_text end as details_text,
  case when fits and $4 then output_text end as output_text, case when fits and $4 then error_text end as error_text
from measured
order by position, key
