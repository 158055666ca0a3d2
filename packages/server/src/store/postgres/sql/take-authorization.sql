-- Gives an authorization away, once: $1 hash of its state. Called by connections.ts when a provider sends somebody back. Served by the table's primary key.
delete from authorizations where state_hash = $1 returning *
