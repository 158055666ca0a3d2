-- Locks gates nobody has held a slot at or asked for since $1, at most $2. Called by gate-keeper.ts, rarely: it reads the whole table, for an index by time
-- would make every use of a gate dearer.
select id from gates where used = 0 and touched_at < $1::bigint and coalesce(next_us, 0) < $1::bigint * 1000 limit $2 for update skip locked
