-- Frees the slots of runs that do not execute any more, and forgets the parking of those that have no reason to wait: they ended, or have work that is due by
-- itself. What became of a run is read from its row, which the transaction has written, so a change that was not applied frees nothing.
-- Called by gates.ts inside its caller's transaction, which has locked the gates: $1 ids. Served by slots_pkey, parked_pkey, work_pkey, gates_pkey and the
-- primary key of the week's runs, which alone has them in order: at one row known any other index that has the id costs the same.
with freed as (
  delete from slots s
  where s.run_id = any($1::text[])
    and exists (select 1 from runs_of_week r where r.id = any (array[s.run_id]) and r.state_kind <> 'executing' order by r.id offset 0)
  returning s.gate
),
left_parking as (
  delete from parked p
  where p.run_id = any($1::text[])
    and (
      exists (select 1 from runs_of_week r where r.id = any (array[p.run_id]) and r.state_kind = 'finished' order by r.id offset 0)
      or not p.invited and exists (select 1 from work w where w.id = p.run_id offset 0)
        and exists (select 1 from runs_of_week r where r.id = any (array[p.run_id]) order by r.id offset 0)
    )
)
update gates g set used = g.used - n.count, ceiling = greatest(g.capacity, g.used - n.count)
from (select gate, count(*)::integer as count from freed group by gate) n
where g.id = any (array[n.gate])
