-- OAuth apps of an environment: $1 environment, $2 integration or null for all. Called by connections.ts when somebody connects, refreshes or looks. Served by
-- the table's primary key.
select * from oauth_clients where environment_id = $1 and ($2::text is null or integration_id = $2) order by integration_id
