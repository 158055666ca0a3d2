-- Forgets waits of runs that are kept no more: $1 begun before. Called by connections.ts hourly. Served by connection_waits_by_age.
delete from connection_waits where created_at < $1
