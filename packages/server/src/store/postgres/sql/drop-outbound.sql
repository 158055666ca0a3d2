-- These requests are not to be made after all. Called by outside.ts: $1 ids. Served by outbound_pkey.
delete from outbound where id = any($1::text[])
