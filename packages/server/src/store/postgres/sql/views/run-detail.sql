-- Called by views/runs.ts: a run with its event, its app and the endpoint its request came in at. Index: primary keys.
-- $1 environment, $2 run
select r.*, a.slug as app_slug, e.event_id, e.name as event_name, e.source as event_source, e.payload_text, e.context_text, e.timestamp as event_timestamp,
  e.payload_type, ep.slug as endpoint_slug
from runs r
left join events e on e.id = r.event_row_id
left join apps a on a.id = r.app_id
left join deliveries d on d.id = r.delivery_id
left join endpoints ep on ep.id = d.endpoint_id
where r.id = $2::text and r.environment_id = $1::text
