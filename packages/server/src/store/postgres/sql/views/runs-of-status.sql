-- Called by views/runs.ts: one page of the runs in some statuses, newest first: a page of each status, merged. $1 environment, $2 id floor, $3 id ceiling (also
-- the cursor), $4 text to find or null, $5 limit, $6 job or null, $7 statuses. Index: runs_by_standing (environment_id, standing, id), read backwards once a
-- status: those that succeeded stand together with those that execute, which are few. Runs that execute are found by their work, which holds a token
-- (work_by_token): as many are read as execute anywhere now. The order by standing leaves it no other index, whatever the statistics say of statuses; the
-- inner limit is the largest page.
select page.*, (select e.name from events e where e.id = page.event_row_id) as event_name
from (
  select r.* from (
    select one.*
    from (
      select status, case status when 'SUCCESS' then '' else status end as standing from unnest($7::text[]) s(status) where status <> 'EXECUTING'
    ) wanted
    cross join lateral (
      select * from runs one
      where one.environment_id = $1::text and one.id >= $2::text and one.id < $3::text
        and (one.standing, one.id) >= (wanted.standing, $2::text) and (one.standing, one.id) < (wanted.standing, $3::text)
        and one.status = wanted.status
        and ($6::text is null or one.job_id = $6::text)
        and ($4::text is null or position(lower($4::text) in lower(one.job_id || ' ' || one.job_name || ' ' || coalesce(one.outcome_text, ''))) > 0)
      order by one.standing desc, one.id desc limit 201
    ) one
    union all
    select one.*
    from work w
    cross join lateral (
      select * from runs one
      where one.id = w.id and one.environment_id = $1::text and one.id >= $2::text and one.id < $3::text
        and one.status = 'EXECUTING'
        and ($6::text is null or one.job_id = $6::text)
        and ($4::text is null or position(lower($4::text) in lower(one.job_id || ' ' || one.job_name || ' ' || coalesce(one.outcome_text, ''))) > 0)
      offset 0
    ) one
    where w.token is not null and w.kind = 'run' and 'EXECUTING' = any ($7::text[])
  ) r
  order by r.id desc limit $5::integer
) page
order by page.id desc
