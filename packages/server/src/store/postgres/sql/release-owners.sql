-- Makes work held by dead servers due now: $1 owners, $2 now. Called by work.ts, rarely: it reads the whole table, for there is no index by owner.
with held as materialized (
  select id from work where owner = any($1::text[]) and due_at > $2 order by id for no key update
)
update work w set due_at = $2 from held where w.id = held.id returning w.id
