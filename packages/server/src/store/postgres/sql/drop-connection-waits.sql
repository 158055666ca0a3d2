-- Runs wait for a connection no more: $1 environment, $2 integration, $3 account, $4 runs. Called by connections.ts. Served by the table's primary key.
delete from connection_waits where environment_id = $1 and integration_id = $2 and account_id = $3 and run_id = any ($4::text[])
