-- Who waits for an event of that name, by id.
-- Called by outside.ts: $1 environment, $2 name, $3 the last id seen, $4 how many. Served by waiters_pkey.
select id, rule_text, expires_at from waiters
where environment_id = $1 and name = $2 and id > $3
order by id
limit $4
