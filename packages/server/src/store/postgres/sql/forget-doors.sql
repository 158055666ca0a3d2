-- Forgets at most $2 doors of which nothing counts since $1, with their starts. Called by partitions.ts, rarely: it reads the whole table.
with idle as materialized (
  select id from doors where idle_at < $1::bigint limit $2 for update skip locked
),
forgotten as (
  delete from starts s using idle i where s.door = i.id
)
delete from doors d using idle i where d.id = i.id
