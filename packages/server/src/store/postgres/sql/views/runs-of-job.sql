-- Called by views/runs.ts: one page of a job's runs, newest first. Index: runs_by_job (environment_id, job_id, id), read backwards.
-- $1 environment, $2 id floor, $3 id ceiling (also the cursor), $4 text to find or null, $5 limit, $6 job
select page.*, (select e.name from events e where e.id = page.event_row_id) as event_name
from (
  select r.* from runs r
  where r.environment_id = $1::text and r.job_id = $6::text and r.id >= $2::text and r.id < $3::text
    and ($4::text is null or position(lower($4::text) in lower(r.job_id || ' ' || r.job_name || ' ' || coalesce(r.outcome_text, ''))) > 0)
  order by r.id desc limit $5::integer
) page
order by page.id desc
