-- The first gates at which runs wait uninvited, after $1, at most $2, and whether they have room. Called by gate-keeper.ts now and then, to find what nobody invited. Served by
-- parked_in_order, one look a gate, however many wait at it.
with recursive gate as (
  (select p.gate from parked p where p.gate > $1::text and not p.invited order by p.gate limit 1)
  union all
  select (select p.gate from parked p where p.gate > g.gate and not p.invited order by p.gate limit 1) from gate g where g.gate is not null
),
found as (
  select gate from gate where gate is not null limit $2
)
select g.id, g.rule, g.capacity, g.used < coalesce(l.capacity, g.capacity) as open
from found f
join gates g on g.id = any (array[f.gate])
left join gate_limits l on l.rule = any (array[g.rule])
