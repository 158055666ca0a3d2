-- Takes leases over, whoever had them: $1 tokens, $2 until, $3 the new owner. Answers the tokens still in force. Called by postgres-store.ts when an app
-- comes back with executions it holds. Served by work_by_token; locks in the order of ids, as everyone does (|| '' keeps it from reading
-- all work in that order).
with held as materialized (
  select id from work where token = any($1::text[]) order by id || '' for no key update
)
update work w set due_at = $2, owner = $3 from held where w.id = any (array[held.id]) returning w.token
