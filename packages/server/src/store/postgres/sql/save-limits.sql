-- Sets the limits of rules: $1 JSON array of (rule, capacity). Answers the gates it concerns. Called by gate-keeper.ts. Served by gate_limits_pkey and
-- gates_by_rule.
with input as materialized (
  select * from json_to_recordset($1::json) as i(rule text, capacity integer)
),
saved as (
  insert into gate_limits as l (rule, capacity) select rule, capacity from input order by rule
  on conflict (rule) do update set capacity = excluded.capacity where l.capacity <> excluded.capacity
  returning rule
)
select g.id, g.rule, g.capacity, true as open from saved s join gates g on g.rule = any (array[s.rule])
