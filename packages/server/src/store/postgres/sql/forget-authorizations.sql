-- Forgets authorizations nobody came back from: $1 ended before. Called by connections.ts hourly. Served by authorizations_by_end.
delete from authorizations where expires_at < $1
