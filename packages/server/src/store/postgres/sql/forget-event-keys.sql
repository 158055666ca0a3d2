-- Forgets event ids older than $1, at most $2 a call, so that no transaction is long. Called by partitions.ts. Served by event_keys_by_age.
delete from event_keys
where (environment_id, event_id) in (select environment_id, event_id from event_keys where created_at < $1 order by created_at limit $2)
