-- Pushes leases of one server: $1 tokens, $2 until, $3 owner. Answers the tokens it still holds. Called by work.ts. Served by work_by_token; locks in the
-- order of ids, as everyone does (|| '' keeps it from reading all work in that order).
with held as materialized (
  select id from work where token = any($1::text[]) and owner = $3 order by id || '' for no key update
)
update work w set due_at = $2 from held where w.id = any (array[held.id]) returning w.token
