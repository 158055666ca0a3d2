-- Called by views/tasks.ts: one page of a run's tasks in order of start. Index: tasks_by_position (run_id || '', position).
-- $1 run, $2 and $3 position and key of the task to start behind, $4 limit, $5 none behind so many bytes of texts
select * from (
  select *, sum(
      coalesce(octet_length(output_text), 0) + coalesce(octet_length(error_text), 0)
      + coalesce(octet_length(details_text), 0) + coalesce(octet_length(failures_text), 0)
    ) over (order by position, key rows between unbounded preceding and 1 preceding) as bytes_before
  from tasks where run_id = $1::text and run_id || '' = $1::text and (position, key) > ($2::bigint, $3::text)
  order by position, key
  limit $4::integer
) page
where bytes_before is null or bytes_before < $5::bigint
order by position, key
