-- Deliveries of one week: $1 ids. Called by claim.ts and reads.ts. Served by the primary key of the week's deliveries.
select * from deliveries_of_week where id = any($1::text[])
