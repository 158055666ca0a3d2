-- Which of these events have started, or not started, a run of a job before: an earlier try of the same intake did. $1 JSON array of (event, job).
-- Called by doors.ts inside an intake's transaction. Served by skips_pkey and runs_by_event, one look a pair: without
-- offset 0 PostgreSQL would read all skips and all runs there are, once, to answer any number of pairs.
select i.event, i.job
from json_to_recordset($1::json) as i(event text, job text)
where exists (select 1 from skips s where s.event_id = i.event and s.job_id = i.job offset 0)
  or exists (select 1 from runs r where r.event_row_id = i.event and r.job_id = i.job offset 0)
