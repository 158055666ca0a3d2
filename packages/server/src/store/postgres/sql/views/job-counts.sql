-- Called by views/jobs.ts and views/overview.ts: runs and failures of each job since an id. Index: runs_by_environment (environment_id, id).
-- $1 environment, $2 id floor, $3 statuses that count as failed
select job_id, max(job_name) as job_name, count(*) as runs, count(*) filter (where status = any($3::text[])) as failed,
  max(id) filter (where status = any($3::text[])) as last_failed
from runs where environment_id = $1::text and id >= $2::text
group by job_id
