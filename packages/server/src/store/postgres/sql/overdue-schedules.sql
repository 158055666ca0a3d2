-- Schedules whose tick stored ahead was due before a moment, longest overdue first: $1 environments, $2 the moment, $3 limit. Called by schedules.ts every few
-- seconds. Served by schedules_due, once an environment.
select late.* from unnest($1::text[]) wanted (id)
cross join lateral (
  select * from schedules s where s.environment_id = wanted.id and s.next_at < $2 order by s.next_at limit $3
) late
order by late.next_at limit $3
