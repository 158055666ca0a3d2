-- Called by views/endpoints.ts: when each endpoint last received something, and its verdicts since an id. Index: deliveries_by_endpoint (endpoint_id, id).
-- $1 endpoints, $2 id floor
select wanted.endpoint_id, last.received_at as last_at, day.accepted, day.refused
from unnest($1::text[]) wanted (endpoint_id)
left join lateral (
  select received_at from deliveries d where d.endpoint_id = wanted.endpoint_id order by d.id desc limit 1
) last on true
left join lateral (
  select count(*) filter (where verdict in ('verified', 'duplicate')) as accepted, count(*) filter (where verdict = 'refused') as refused
  from deliveries d where d.endpoint_id = wanted.endpoint_id and d.id >= $2::text
) day on true
