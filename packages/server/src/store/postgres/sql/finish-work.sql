-- Work that is done goes, and with it the request it was about, if the token still holds it.
-- Called by outside.ts: $1 id, $2 token. Served by work_pkey and outbound_pkey.
with finished as (
  delete from work where id = $1 and token = $2 returning id
)
delete from outbound o using finished f where o.id = any (array[f.id])
