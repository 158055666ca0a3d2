-- Changes what is kept of an endpoint its app registers by itself, if it still is what the caller has read: $1 id, $2 source_text as read, $3 app, $4 secret,
-- $5 source_text. Answers the id; nothing when it is another by now. Called by catalog.ts. Served by endpoints_pkey.
with changed as (
  update endpoints set app_id = $3, secret_sealed = $4, source_text = $5
  where id = $1 and source_text is not distinct from $2::text
  returning id
),
moved as (update catalog_revision set revision = revision + 1 where exists (select from changed))
select id from changed
