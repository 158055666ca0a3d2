-- Keeps a value: $1 environment, $2 key, $3 JSON text or null, $4 now. Called by key-values.ts. Served by key_values_pkey.
insert into key_values (environment_id, key, value_text, updated_at) values ($1, $2, $3, $4)
on conflict (environment_id, key) do update set value_text = excluded.value_text, updated_at = excluded.updated_at
