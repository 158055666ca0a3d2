-- Called by views/deliveries.ts: a delivery with its headers and bytes. Index: the primary key; runs by runs_by_event. $1 environment, $2 delivery
select d.*, ep.slug as endpoint_slug, started.runs
from deliveries d
left join endpoints ep on ep.id = d.endpoint_id
left join lateral (
  select array_agg(r.id order by r.id || '') as runs from runs r where r.event_row_id = d.event_row_id and r.delivery_id = d.id
) started on true
where d.id = $2::text and d.environment_id = $1::text
