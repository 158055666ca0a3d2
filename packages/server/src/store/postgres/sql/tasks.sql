-- A run's tasks in order of position: $1 run, $2 and $3 after the one with this position and key, $4 statuses or null, $5 at most, $6 none behind so many
-- bytes of outputs. Called by reads.ts. Served by tasks_by_position of the week; how long an output is, is known without reading it.
select * from (
  select *, sum(octet_length(output_text)) over (order by position, key rows between unbounded preceding and 1 preceding) as bytes_before
  from tasks_of_week
  where run_id || '' = $1 and (position, key) > ($2, $3) and ($4::text[] is null or status = any($4))
  order by position, key
  limit $5
) page
where bytes_before is null or bytes_before < $6::bigint
order by position, key
