-- A run waits for a connection: $1 environment, $2 integration, $3 account, $4 run, $5 since when. Called by connections.ts. Served by the table's primary key.
insert into connection_waits values ($1, $2, $3, $4, $5) on conflict do nothing
