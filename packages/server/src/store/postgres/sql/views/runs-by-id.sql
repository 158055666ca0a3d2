-- Called by views/overview.ts: how some runs ended. Index: the primary key. $1 environment, $2 runs
select id, outcome_text, finished_at, updated_at from runs where id = any($2::text[]) and environment_id = $1::text
