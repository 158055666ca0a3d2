-- Forgets at most $2 statuses of runs which are no longer kept, set before $1. Called by partitions.ts. Reads the table whole, rarely; and the runs' primary keys.
delete from statuses where (run_id, key) in (
  select s.run_id, s.key from statuses s
  where s.created_at < $1 and not exists (select 1 from runs r where r.id = s.run_id)
  limit $2
)
