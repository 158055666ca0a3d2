-- One kept value: $1 environment, $2 key. Called by key-values.ts. Served by key_values_pkey.
select value_text from key_values where environment_id = $1 and key = $2
