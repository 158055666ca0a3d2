-- Inserts or replaces an app: $1 one JSON object. Called by catalog.ts. Served by apps_pkey.
with moved as (update catalog_revision set revision = revision + 1)
insert into apps (id, environment_id, slug, transport, url, sdk, index_text, indexed_at, last_error, call_limit_ms)
select *
from json_to_record($1::json) as i(
  id text, environment_id text, slug text, transport text, url text, sdk text, index_text text, indexed_at bigint, last_error text,
  call_limit_ms integer
)
on conflict (id) do update set
  transport = excluded.transport, url = excluded.url, sdk = excluded.sdk, index_text = excluded.index_text,
  indexed_at = excluded.indexed_at, last_error = excluded.last_error, call_limit_ms = excluded.call_limit_ms
