-- Connections in force for which runs still wait: $1 limit. Called by connections.ts every half minute; usually nothing waits at all. Served by the primary
-- keys of both tables.
select c.* from (select distinct environment_id, integration_id, account_id from connection_waits) w
join connections c using (environment_id, integration_id, account_id) where c.status = 'connected' limit $1
