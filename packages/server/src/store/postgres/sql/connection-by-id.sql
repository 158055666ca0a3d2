-- A connection by its id, in its environment alone: $1 environment, $2 id. Called by connections.ts when a program looks one up. Served by connections_by_id.
select * from connections where id = $2 and environment_id = $1
