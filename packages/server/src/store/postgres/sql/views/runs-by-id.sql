-- Called by views/overview.ts: how some runs ended. Index: the primary key. $1 environment, $2 runs
select r.id, r.outcome_text, r.finished_at, r.updated_at
from unnest($2::text[]) asked (id)
cross join lateral (select * from runs where id = asked.id offset 0) r
where r.environment_id = $1::text
