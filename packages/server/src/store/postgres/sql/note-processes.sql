-- Notes that processes of apps are connected: $1 JSON array of {id, since} (since null: it has just come), $2 now, $3 until when they count. Answers since when
-- each is there, and whether none that counts came later. Called by catalog.ts as an app dials, and every minute by every server. Served by apps_pkey;
-- it does not move the catalog's revision. Locks in the order of ids.
with given as materialized (
  select i.id, i.since from json_to_recordset($1::json) as i(id text, since bigint)
), held as materialized (
  select id, processes from apps where id in (select id from given) order by id for no key update
), noted as materialized (
  select
    id,
    coalesce(given.since, greatest($2::bigint, (select max(key::bigint) + 1 from jsonb_each_text(held.processes)))) as since,
    coalesce(
      (select jsonb_object_agg(key, value) from jsonb_each_text(held.processes) where value::bigint > $2::bigint), '{}'
    ) as others
  from held join given using (id)
)
update apps a set processes = n.others || jsonb_build_object(n.since::text, $3::bigint)
from noted n
where a.id = n.id
returning
  a.id, n.since, not exists (select from jsonb_object_keys(n.others) key where key::bigint > n.since) as is_newest
