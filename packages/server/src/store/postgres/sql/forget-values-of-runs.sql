-- Forgets at most $2 values that belong to a run which is no longer kept and were written before $1. Called by partitions.ts. Served by key_values_pkey's
-- order inside each environment, which is why it goes by ranges of keys; and by the runs' primary keys.
delete from key_values where (environment_id, key) in (
  select v.environment_id, v.key from environments e join key_values v on v.environment_id = e.id and v.key >= 'run:' and v.key < 'run;'
  where v.updated_at < $1 and not exists (select 1 from runs r where r.id = split_part(v.key, ':', 2))
  limit $2
)
