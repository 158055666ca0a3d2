-- When those were let in that decide about the next ones: of each door as many starts as ask now, from the one that is its limit ago.
-- Called by doors.ts inside an intake's transaction, which has locked the doors: $1 JSON array of (door, most, asking). Served by doors_pkey and starts_pkey; costs
-- as many rows as ask, whatever the limit.
select s.door, s.n, s.at
from json_to_recordset($1::json) as i(door text, most bigint, asking bigint)
join doors d on d.id = any (array[i.door])
join starts s on s.door = any (array[d.id]) and s.n >= d.starts - i.most and s.n < d.starts - i.most + i.asking
