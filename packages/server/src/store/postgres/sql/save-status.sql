-- Sets what is given of a status, and keeps in its history what it was before; what changes nothing leaves no trace, so that it may be said twice.
-- Called by run-statuses.ts: $1 run, $2 key, $3 label, $4 state, $5 data as JSON text (each null: as it was), $6 now. Served by statuses_pkey.
insert into statuses as s (run_id, key, label, state, data_text, history_text, created_at)
values ($1, $2, coalesce($3::text, $2), $4, $5, '[]', $6)
on conflict (run_id, key) do update set
  label = coalesce($3::text, s.label),
  state = coalesce(excluded.state, s.state),
  data_text = coalesce(excluded.data_text, s.data_text),
  history_text = left(s.history_text, -1) || case when s.history_text = '[]' then '' else ',' end
    || '{"label":' || to_json(s.label) || coalesce(',"state":' || to_json(s.state), '') || coalesce(',"data":' || s.data_text, '') || '}]'
where ($3::text, excluded.state, excluded.data_text) is distinct from (null, null, null)
  and (coalesce($3::text, s.label), coalesce(excluded.state, s.state), coalesce(excluded.data_text, s.data_text))
    is distinct from (s.label, s.state, s.data_text)
