-- Forgets an integration's OAuth app: $1 environment, $2 integration. Called by connections.ts. Served by the table's primary key.
delete from oauth_clients where environment_id = $1 and integration_id = $2
