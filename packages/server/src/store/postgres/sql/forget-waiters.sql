-- Forgets those who gave up. Called by outside.ts, hourly: $1 epoch milliseconds. Served by waiters_by_age.
delete from waiters where expires_at < $1
