-- Tells the other servers: $1 channel, $2 payload. Called by bus.ts on its own connection, never inside a statement that must be quick.
select pg_notify($1, $2)
