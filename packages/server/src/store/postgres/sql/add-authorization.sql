-- Keeps an authorization somebody began: $1 the row as JSON. Called by connections.ts. Served by the table's primary key.
insert into authorizations select r.* from json_populate_record(null::authorizations, $1::json) r on conflict do nothing
