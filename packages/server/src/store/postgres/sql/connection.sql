-- One connection: $1 environment, $2 integration, $3 account. Called by connections.ts before executions that need it. Served by the table's primary key.
select * from connections where environment_id = $1 and integration_id = $2 and account_id = $3
