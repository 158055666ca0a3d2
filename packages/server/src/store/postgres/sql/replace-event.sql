-- Replaces what an event will say, and when, while it waits and nobody has begun to deliver it: $1 row id, $2 the earliest due time at which that is
-- still done, $3 payload, $4 context, $5 the new due time. Answers a row if it did. Called by waiting-events.ts. Served by the primary keys of work and
-- of the week's events; locks work first, as an intake does.
with waiting as materialized (
  select id from work where id = $1 and kind = 'event' and token is null and due_at >= $2 for update
),
moved as (
  update work set due_at = $5 from waiting where work.id = any (array[waiting.id])
)
update events_of_week e set payload_text = $3, context_text = $4, deliver_at = $5 from waiting where e.id = any (array[waiting.id]) returning e.id
