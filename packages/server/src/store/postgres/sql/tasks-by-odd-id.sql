-- Tasks of a run by ids that do not follow from their keys: $1 run, $2 ids. Called by reads.ts for what tasks-by-id.sql did not find.
-- Served by the primary key of the week's tasks, over the whole run.
select * from tasks_of_week where run_id = $1 and id = any($2::text[])
