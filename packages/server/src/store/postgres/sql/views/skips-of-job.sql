-- Called by views/skips.ts: one page of the events that started no run of a job, newest first. Index: skips_by_job (environment_id, job_id, event_id), read
-- backwards; events by their primary key. $1 environment, $2 job, $3 event id ceiling (also the cursor), $4 limit
select s.event_id as event_row_id, s.job_id, s.at, s.reason, s.until_at, s.by_event_id as by_event_row_id, e.event_id, e.name as event_name, e.delivery_id,
  b.event_id as by_id
from (
  select * from skips
  where environment_id = $1::text and job_id = $2::text and event_id < $3::text
  order by event_id desc limit $4::integer
) s
left join events e on e.id = s.event_id
left join events b on b.id = s.by_event_id
order by s.event_id desc
