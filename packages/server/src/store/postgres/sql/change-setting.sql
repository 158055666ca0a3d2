-- Sets a setting if it still is what the caller has read: $1 key, $2 value as read (null: there was none), $3 value. Answers the key; nothing when it is another by
-- now. Called by catalog.ts. Served by settings_pkey.
with changed as (update settings set value = $3 where key = $1 and value = $2::text returning key),
added as (insert into settings (key, value) select $1, $3 where $2::text is null on conflict (key) do nothing returning key),
moved as (update catalog_revision set revision = revision + 1 where exists (select from changed) or exists (select from added))
select key from changed union all select key from added
