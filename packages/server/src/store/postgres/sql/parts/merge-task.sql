on conflict (run_id, key) do update set
  status = excluded.status,
  attempts = greatest(t.attempts, excluded.attempts),
  completed_at = excluded.completed_at,
  delay_until = case
    when excluded.status <> 'WAITING' then coalesce(excluded.delay_until, t.delay_until)
    when excluded.failures_text is null and t.status in ('WAITING', 'PENDING') then coalesce(t.delay_until, excluded.delay_until)
    else excluded.delay_until
  end,
  output_text = excluded.output_text,
  error_text = excluded.error_text,
  details_text = coalesce(excluded.details_text, t.details_text),
  failures_text = case
    when excluded.failures_text is null then t.failures_text
    else coalesce(left(t.failures_text, -1) || ',' || substr(excluded.failures_text, 2), excluded.failures_text)
  end
where t.status in ('PENDING', 'RUNNING', 'WAITING')
  and case excluded.status
    when 'WAITING' then
      t.attempts < excluded.attempts
      or t.attempts = excluded.attempts
        and (excluded.failures_text is null or t.status <> 'WAITING' or t.failures_text is null)
    when 'RUNNING' then t.status = 'PENDING' or t.status = 'WAITING' and t.attempts < excluded.attempts
    when 'PENDING' then t.status = 'PENDING' or t.status = 'WAITING' and t.attempts < excluded.attempts
    else true
  end
