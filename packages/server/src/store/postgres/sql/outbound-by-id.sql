-- Requests to be made. Called by claim.ts: $1 ids. Served by outbound_pkey.
select * from outbound where id = any($1::text[])
