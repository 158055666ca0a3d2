-- Connections of an environment behind one of them: $1 environment, $2 its integration, $3 its account, $4 limit. Called by connections.ts. Served by the
-- table's primary key.
select * from connections where environment_id = $1 and (integration_id, account_id) > ($2::text, $3::text) order by integration_id, account_id limit $4
