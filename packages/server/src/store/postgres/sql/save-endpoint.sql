-- Inserts an endpoint, or updates app, preset and secret of the one with its id: $1 one JSON object. Called by catalog.ts. Served by endpoints_pkey.
with moved as (update catalog_revision set revision = revision + 1)
insert into endpoints (id, environment_id, app_id, slug, shortcode, preset, secret_sealed, source_text, created_at)
select *
from json_to_record($1::json) as i(
  id text, environment_id text, app_id text, slug text, shortcode text, preset text, secret_sealed text, source_text text,
  created_at bigint
)
on conflict (id) do update set app_id = excluded.app_id, preset = excluded.preset, secret_sealed = excluded.secret_sealed
