-- Changes what is noted of an app, and nothing else: $1 id, $2 JSON with lastError, callLimitMs or both. Called by catalog.ts. Served by apps_pkey.
with moved as (update catalog_revision set revision = revision + 1)
update apps set
  last_error = case when note ? 'lastError' then note->>'lastError' else last_error end,
  call_limit_ms = case when note ? 'callLimitMs' then (note->>'callLimitMs')::integer else call_limit_ms end
from (select $2::jsonb as note) given
where id = $1
