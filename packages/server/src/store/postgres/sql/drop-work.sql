-- Removes work whose subject is gone (its week was dropped). Called by claim.ts inside its transaction: $1 ids. Served by work_pkey.
delete from work where id = any($1::text[])
