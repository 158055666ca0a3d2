-- Sets a setting: $1 key, $2 value. Called by catalog.ts. Served by settings_pkey.
with moved as (update catalog_revision set revision = revision + 1)
insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value
