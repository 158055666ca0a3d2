-- Gates with a pace: not how many execute at once but how many start in each period. They hold no slots; their starts have a schedule, one each step.
-- next_us: when the schedule has its next start, in microseconds. last_us, step_us: the last start and the step then. The check refuses one start too many,
-- whatever the caller thinks: nobody is further ahead of the schedule than a burst.
alter table gates
  add column period_ms bigint check (period_ms > 0),
  add column burst integer check (burst > 0),
  add column next_us bigint,
  add column last_us bigint,
  add column step_us bigint,
  add check (period_ms is null or used = 0),
  add check (next_us is null or next_us - last_us <= burst * step_us);

create function paced_step(capacity integer, period_ms bigint) returns bigint language sql immutable
  return ceil(period_ms * 1000::numeric / capacity)::bigint;

-- How many may start at that time: the engine's pacedRoom.
create function paced_room(step_us bigint, burst integer, next_us bigint, at_ms bigint) returns integer language sql immutable
  return greatest(0, floor((at_ms * 1000 + (burst - 1) * step_us - greatest(coalesce(next_us, 0), at_ms * 1000)) / step_us::numeric) + 1)::integer;
