-- Called by views/jobs.ts: the newest runs of each of some jobs. Index: runs_by_job (environment_id, job_id, id), read backwards once a job.
-- $1 environment, $2 jobs, $3 runs a job
select r.id, r.job_id, r.status, r.created_at
from unnest($2::text[]) wanted (job)
cross join lateral (
  select id, job_id, status, created_at from runs
  where environment_id = $1::text and job_id = wanted.job order by id desc limit $3::integer
) r
order by r.id desc
