-- Called by views/deliveries.ts: one page of an endpoint's deliveries, newest first, without their bodies. Index: deliveries_by_endpoint
-- (endpoint_id, id), read backwards; runs by runs_by_event. $1 environment, $2 verdict or null, $3 id ceiling (the cursor), $4 limit, $5 endpoint
select page.*, ep.slug as endpoint_slug, started.runs
from (
  select id, environment_id, endpoint_id, received_at, method, url, size, verdict, reason, status, sender_id, event_row_id
  from deliveries
  where endpoint_id = $5::text and environment_id = $1::text and id < $3::text and ($2::text is null or verdict = $2::text)
  order by id desc limit $4::integer
) page
left join endpoints ep on ep.id = page.endpoint_id
left join lateral (
  select array_agg(r.id order by r.id || '') as runs from runs r where r.event_row_id = page.event_row_id and r.delivery_id = page.id
) started on true
order by page.id desc
