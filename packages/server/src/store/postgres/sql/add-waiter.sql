-- Notes who waits for an event, one row a name; one that is there already stays as it is.
-- Called by outside.ts: $1 environment, $2 names, $3 id, $4 rule as JSON text, $5 when it gives up. Served by waiters_pkey.
insert into waiters (environment_id, name, id, rule_text, expires_at)
select $1, name, $3, $4, $5 from unnest($2::text[]) as name
on conflict do nothing
