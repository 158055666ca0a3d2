-- The row id of the event a sender's id names: $1 environment, $2 the sender's id. Called by reads.ts. Served by event_keys_pkey.
select event_row_id from event_keys where environment_id = $1 and event_id = $2
