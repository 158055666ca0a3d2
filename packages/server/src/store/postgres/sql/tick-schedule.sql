-- Notes a schedule's ticks unless it was registered anew: $1 id, $2 revision, $3 last tick, $4 next tick. Answers a row if it did. Called by schedules.ts for
-- each tick. Served by schedules_pkey.
update schedules set last_at = $3, next_at = $4 where id = $1 and revision = $2 returning id
