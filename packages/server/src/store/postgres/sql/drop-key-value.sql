-- Forgets a value: $1 environment, $2 key. Answers a row if there was one. Called by key-values.ts. Served by key_values_pkey.
delete from key_values where environment_id = $1 and key = $2 returning key
