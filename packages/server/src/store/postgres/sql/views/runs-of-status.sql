-- Called by views/runs.ts: one page of the runs in some statuses, newest first: a page of each status, merged. Index: runs_by_status
-- (environment_id, status, id), read backwards once a status. $1 environment, $2 id floor, $3 id ceiling (also the cursor), $4 text to find or null,
-- $5 limit, $6 job or null, $7 statuses. The order by status leaves it no other index, whatever the statistics say of statuses; the inner limit is the largest page.
select page.*, (select e.name from events e where e.id = page.event_row_id) as event_name
from (
  select r.* from unnest($7::text[]) wanted (status)
  cross join lateral (
    select * from runs one
    where one.environment_id = $1::text and one.id >= $2::text and one.id < $3::text
      and (one.status, one.id) >= (wanted.status, $2::text) and (one.status, one.id) < (wanted.status, $3::text)
      and ($6::text is null or one.job_id = $6::text)
      and ($4::text is null or position(lower($4::text) in lower(one.job_id || ' ' || one.job_name || ' ' || coalesce(one.outcome_text, ''))) > 0)
    order by one.status desc, one.id desc limit 201
  ) r
  order by r.id desc limit $5::integer
) page
order by page.id desc
