-- Runs that wait for a connection: $1 environment, $2 integration, $3 account, $4 the last run seen, $5 limit. Called by connections.ts when it is connected.
-- Served by the table's primary key.
select run_id from connection_waits where environment_id = $1 and integration_id = $2 and account_id = $3 and run_id > $4 order by run_id limit $5
