-- Called by views/skips.ts: the jobs an event started no run of, and why. Index: skips_pkey; events by their primary key. $1 environment, $2 event's row id
select s.event_id as event_row_id, s.job_id, s.at, s.reason, s.until_at, s.by_event_id as by_event_row_id, e.event_id, e.name as event_name, e.delivery_id,
  b.event_id as by_id
from skips s
left join events e on e.id = s.event_id
left join events b on b.id = s.by_event_id
where s.event_id = $2::text and s.environment_id = $1::text
order by s.job_id
