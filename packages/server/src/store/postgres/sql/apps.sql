-- Every app with its index. Called by catalog.ts at start and when the catalog's revision has moved.
select id, environment_id, slug, transport, url, sdk, index_text, indexed_at, last_error, call_limit_ms from apps order by id
