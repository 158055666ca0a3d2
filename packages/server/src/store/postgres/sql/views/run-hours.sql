-- Called by views/overview.ts: runs by clock hour and status since an id. Index: runs_by_environment (environment_id, id). $1 environment, $2 id floor
select created_at / 3600000 as hour, status, count(*) as runs
from runs where environment_id = $1::text and id >= $2::text
group by 1, 2
