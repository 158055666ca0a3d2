-- Parks runs that were stored just now, in this transaction. A run stored by an earlier try of the same intake is parked, at work or past that already, and a
-- run of a duplicate was not stored.
-- Called by intake.ts, which has locked the gates: $1 JSON array of (run_id, gate, queue, priority). Served by the primary keys of the week's runs, of work and
-- of parked.
insert into parked (run_id, gate, queue, priority, invited)
select i.run_id, i.gate, i.queue, i.priority, false
from json_to_recordset($1::json) as i(run_id text, gate text, queue text, priority integer)
join runs r on r.id = i.run_id
where r.revision = 0 and r.state_kind = 'queued' and not exists (select 1 from work w where w.id = i.run_id)
order by i.run_id
on conflict (run_id) do nothing
