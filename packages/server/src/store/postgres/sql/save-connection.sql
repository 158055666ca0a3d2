-- Keeps a connection, or replaces the one that is still as it was read: $1 the row as JSON, $2 the revision that was read (null: there was none). Answers a row
-- if it did. Called by connections.ts. Served by the table's primary key.
insert into connections as c select r.* from json_populate_record(null::connections, $1::json) r
on conflict (environment_id, integration_id, account_id) do update set
  status = excluded.status, provider = excluded.provider, tokens_sealed = excluded.tokens_sealed, scopes = excluded.scopes,
  fields_text = excluded.fields_text, title = excluded.title, expires_at = excluded.expires_at, refresh_at = excluded.refresh_at,
  leased_until = excluded.leased_until, generation = excluded.generation, revision = excluded.revision, error = excluded.error,
  ending_sealed = excluded.ending_sealed, ending_at = excluded.ending_at, ending_error = excluded.ending_error,
  updated_at = excluded.updated_at
where c.revision = $2::integer
returning c.id
