-- Inserts or replaces an app: $1 one JSON object. Of a process: $2 since when it is there, $3 now, $4 until when it counts; then not if one that came later
-- counts. Answers its id if it was saved. Called by catalog.ts. Served by apps_pkey.
with saved as (
  insert into apps (
    id, environment_id, slug, transport, url, sdk, index_text, indexed_at, last_error, call_limit_ms, processes
  )
  select i.*, case when $2::bigint is null then '{}' else jsonb_build_object($2::bigint::text, $4::bigint) end
  from json_to_record($1::json) as i(
    id text, environment_id text, slug text, transport text, url text, sdk text, index_text text, indexed_at bigint,
    last_error text, call_limit_ms integer
  )
  on conflict (id) do update set
    transport = excluded.transport, url = excluded.url, sdk = excluded.sdk, index_text = excluded.index_text,
    indexed_at = excluded.indexed_at, last_error = excluded.last_error, call_limit_ms = excluded.call_limit_ms
  where $2::bigint is null or not exists (
    select from jsonb_each_text(apps.processes) where key::bigint > $2::bigint and value::bigint > $3::bigint
  )
  returning id
), moved as (
  update catalog_revision set revision = revision + 1 where exists (select from saved)
)
select id from saved
