-- A run's statuses, in the order they were created. Called by run-statuses.ts: $1 run. Served by statuses_pkey.
select key, label, state, data_text, history_text from statuses where run_id = $1 order by created_at, key
