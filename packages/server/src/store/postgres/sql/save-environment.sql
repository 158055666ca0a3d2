-- Inserts or replaces an environment: $1 one JSON object. Called by catalog.ts. Served by environments_pkey.
with moved as (update catalog_revision set revision = revision + 1)
insert into environments (id, slug, type, secret_key_hash, secret_key_sealed, secret_key_preview, public_key, created_at)
select *
from json_to_record($1::json) as i(
  id text, slug text, type text, secret_key_hash text, secret_key_sealed text, secret_key_preview text, public_key text, created_at bigint
)
on conflict (id) do update set
  slug = excluded.slug, type = excluded.type, secret_key_hash = excluded.secret_key_hash, secret_key_sealed = excluded.secret_key_sealed,
  secret_key_preview = excluded.secret_key_preview, public_key = excluded.public_key
