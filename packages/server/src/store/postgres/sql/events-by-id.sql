-- Events of one week: $1 row ids. Called by claim.ts and reads.ts. Served by the primary key of the week's events,
-- which alone has them in order: at one row known any other index that has the id costs the same.
select * from events_of_week where id = any($1::text[]) order by id
