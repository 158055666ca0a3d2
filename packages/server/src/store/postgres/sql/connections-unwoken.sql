-- Connections in force for which runs still wait: $1 limit. Called by connections.ts every half minute; usually nothing waits at all. Served by the primary
-- keys of both tables, one look a connection, however many runs wait for it.
with recursive awaited as (
  (select environment_id, integration_id, account_id from connection_waits order by environment_id, integration_id, account_id limit 1)
  union all
  select next.* from awaited a cross join lateral (
    select w.environment_id, w.integration_id, w.account_id from connection_waits w
    where (w.environment_id, w.integration_id, w.account_id) > (a.environment_id, a.integration_id, a.account_id)
    order by w.environment_id, w.integration_id, w.account_id limit 1
  ) next
)
select c.* from awaited a
cross join lateral (
  select * from connections o
  where o.environment_id = a.environment_id and o.integration_id = a.integration_id and o.account_id = a.account_id and o.status || '' = 'connected'
  offset 0
) c
limit $1
