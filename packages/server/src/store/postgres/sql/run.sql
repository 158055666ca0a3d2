-- One run: $1 id, $2 its environment or null for any. Called by reads.ts. Served by the primary key of the week's runs.
select * from runs_of_week where id = $1 and ($2::text is null or environment_id = $2)
