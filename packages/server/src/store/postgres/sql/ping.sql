-- Does the database answer? Called by postgres-store.ts for readiness.
select 1 as alive
