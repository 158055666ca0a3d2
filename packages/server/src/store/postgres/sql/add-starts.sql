-- Notes who was let in, and forgets starts that decide about nobody any more. The check on starts refuses one too many.
-- Called by doors.ts inside an intake's transaction, which has locked the doors: $1 JSON array of (door, n, at, most, period). Served by starts_pkey.
with input as materialized (
  select * from json_to_recordset($1::json) as i(door text, n bigint, at bigint, most bigint, period bigint)
),
forgotten as (
  delete from starts s
  using (select door, max(n - most) as last from input group by door) i
  where s.door = any (array[i.door]) and s.n <= i.last
)
insert into starts (door, n, at, opens_at)
select i.door, i.n, i.at, coalesce((select s.at + i.period from starts s where s.door = i.door and s.n = i.n - i.most), 0)
from input i
order by i.door, i.n
