-- Runs of one week: $1 ids. Called by claim.ts after it has locked their work, so the rows are current. Served by the primary key of the week's runs,
-- which alone has them in order: at one row known any other index that has the id costs the same.
select * from runs_of_week where id = any($1::text[]) order by id
