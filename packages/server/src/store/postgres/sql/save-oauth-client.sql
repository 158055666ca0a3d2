-- Sets an integration's OAuth app up, or replaces it: $1 the row as JSON. Called by connections.ts. Served by the table's primary key.
insert into oauth_clients select r.* from json_populate_record(null::oauth_clients, $1::json) r
on conflict (environment_id, integration_id) do update set
  provider = excluded.provider, client_id = excluded.client_id, secret_sealed = excluded.secret_sealed, scopes = excluded.scopes,
  authorize_url = excluded.authorize_url, token_url = excluded.token_url,
  revoke_url = excluded.revoke_url, issuer = excluded.issuer, updated_at = excluded.updated_at
