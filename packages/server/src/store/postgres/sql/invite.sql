-- Makes parked work due where a gate has room: in each queue as many as there are free slots, those invited before counted, the highest priority first, then
-- the first turn, then the oldest; the gate has come to the turn of the last of them. Each queue by itself, because an app that is away must not keep others from the slots of a shared gate. Answers the queues.
-- In its queue the higher priority goes first, too: its work is put ahead of its time (the engine's aheadOf).
-- Called by gates.ts at the end of its caller's transaction, which has locked the gates: $1 their ids, $2 now. Served by gates_pkey, parked_in_order and
-- parked_invited; costs as many rows as it invites, however many wait.
with recursive open as (
  select id as gate, case when period_ms is null then capacity - used else paced_room(paced_step(capacity, period_ms), burst, next_us, $2::bigint) end as room
  from gates where id = any($1::text[]) and used < capacity
),
waiting as (
  select o.gate, o.room, (select p.queue from parked p where p.gate = o.gate and not p.invited order by p.queue limit 1) as queue
  from open o
  union all
  select w.gate, w.room, (
    select p.queue from parked p where p.gate = w.gate and not p.invited and p.queue > w.queue order by p.queue limit 1
  )
  from waiting w where w.queue is not null
),
chosen as materialized (
  select w.gate, w.queue, c.run_id, c.turn, c.priority
  from waiting w
  cross join lateral (
    select p.run_id, p.turn, p.priority::bigint as priority
    from parked p
    where p.gate = w.gate and p.queue = w.queue and not p.invited
    order by p.priority desc, p.turn, p.run_id
    limit greatest(0, w.room - (select count(*) from parked i where i.gate = w.gate and i.queue = w.queue and i.invited))
  ) c
),
invited as (
  update parked p set invited = true from chosen c where p.run_id = any (array[c.run_id])
),
advanced as (
  update gates g set turn = greatest(g.turn, n.turn)
  from (select gate, max(turn) as turn from chosen group by gate) n where g.id = any (array[n.gate])
)
insert into work (id, kind, queue, due_at, token, owner, attempts)
select run_id, 'run', queue, $2::bigint - greatest(priority, 0) * 1000000000, null, null, 0 from chosen order by run_id
on conflict (id) do nothing
returning queue
