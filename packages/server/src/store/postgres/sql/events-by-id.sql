-- Events of one week: $1 row ids. Called by claim.ts and reads.ts. Served by the primary key of the week's events.
select * from events_of_week where id = any($1::text[])
