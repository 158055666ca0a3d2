-- Cancels an event that waits for its time: $1 row id, $2 now. Answers a row if it did: whoever was about to deliver it finds its work gone. Called by
-- waiting-events.ts. Served by the primary keys of work and of the week's events; locks work first, as an intake does.
with waiting as materialized (
  select id from work where id = $1 and kind = 'event' for update
),
removed as (
  delete from work using waiting where work.id = any (array[waiting.id])
)
update events_of_week e set canceled_at = $2 from waiting where e.id = any (array[waiting.id]) returning e.id
