-- Called by views/runs.ts: the runs an id names: its own, its event's, or its delivery's. Index: the primary key; runs_by_event (event_row_id).
-- $1 environment, $2 id of a run or null, $3 id of an event or null, $4 id of a delivery or null, $5 id ceiling (the cursor), $6 limit
with named as (
  select id from runs where id = $2::text
  union
  select id from runs where event_row_id in ($3::text, (select d.event_row_id from deliveries d where d.id = $4::text))
)
select r.*, (select e.name from events e where e.id = r.event_row_id) as event_name
from named n
cross join lateral (select * from runs where id = n.id offset 0) r
where r.environment_id = $1::text and r.id < $5::text
order by r.id desc limit $6::integer
