-- Locks the work of runs, before their gates, as a claim does. Called by change-run.ts for runs with gates: $1 ids. Served by work_pkey.
select id from work where id = any($1::text[]) order by id for update
