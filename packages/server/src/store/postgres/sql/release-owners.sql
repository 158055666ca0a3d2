-- Gives back work held by dead servers: $1 owners, $2 now, $3 when runs are due; all else is due now. Called by postgres-store.ts, rarely: it reads the
-- whole table, for there is no index by owner.
with held as materialized (
  select id, case when kind = 'run' then $3::bigint else least(due_at, $2::bigint) end as given
  from work where owner = any($1::text[]) order by id for no key update
)
update work w set due_at = held.given from held where w.id = any (array[held.id]) and w.due_at <> held.given returning w.id
