-- The catalog's revision. Called by catalog.ts every few seconds by every server: one row.
select revision from catalog_revision
