-- Leases claimed work: $1 JSON array of (id, token, owner, due_at). Without a token the row is left to whoever holds it and only its time moves.
-- Called by claim.ts inside its transaction, which has locked the rows. Served by work_pkey.
update work w set
  due_at = i.due_at,
  token = coalesce(i.token, w.token),
  owner = case when i.token is null then w.owner else i.owner end,
  attempts = w.attempts + case when i.token is null then 0 else 1 end
from json_to_recordset($1::json) as i(id text, token text, owner text, due_at bigint)
where w.id = any (array[i.id])
