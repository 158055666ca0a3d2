-- Makes a row of work for each gate with a pace at which runs wait uninvited: it is due when the next may start (the engine's pacedLook). One that is there stays.
-- Nobody else writes these rows without the gate's lock, so this waits for nobody. Answers when they are due.
-- Called by gates.ts at the end of its caller's transaction, which has locked the gates: $1 their ids, $2 now. Served by gates_pkey, parked_in_order, parked_invited
-- and work_pkey.
with closed as (
  select g.id, w.queue, g.burst, i.invited, paced_step(g.capacity, g.period_ms) as step, greatest(coalesce(g.next_us, 0), $2::bigint * 1000) as next
  from gates g
  cross join lateral (
    select p.queue from parked p where p.gate = g.id and not p.invited order by p.queue limit 1
  ) w
  cross join lateral (
    select count(*)::integer as invited from parked p where p.gate = g.id and p.queue = w.queue and p.invited
  ) i
  where g.id = any($1::text[]) and g.period_ms is not null
)
insert into work (id, kind, queue, due_at, attempts)
select 'gate:' || id, 'gate', queue, greatest($2::bigint + 1, ceil((next + (invited - burst + 1) * step) / 1000::numeric)::bigint), 0
from closed
where invited < burst
order by id
on conflict (id) do nothing
returning due_at
