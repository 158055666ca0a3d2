-- Forgets gates at which nobody waits: $1 ids, locked by idle-gates.sql in the same transaction. Called by gate-keeper.ts. Served by gates_pkey, parked_in_order
-- and parked_invited.
delete from gates g
where g.id = any($1::text[])
  and not exists (select 1 from parked p where p.gate = g.id and not p.invited)
  and not exists (select 1 from parked p where p.gate = g.id and p.invited)
