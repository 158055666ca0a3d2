-- How many runs wait for each connection: $1 environment. Called by connections.ts when somebody looks. Served by the table's primary key.
select integration_id, account_id, count(*)::integer as runs from connection_waits where environment_id = $1
group by integration_id, account_id order by integration_id, account_id
