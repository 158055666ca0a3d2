-- These wait no more. Called by outside.ts: $1 ids. Served by waiters_by_id.
delete from waiters where id || '' = any($1::text[])
