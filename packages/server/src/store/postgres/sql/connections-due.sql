-- Connections whose tokens should be refreshed and that nobody refreshes: $1 now, $2 limit. Called by connections.ts every half minute. Served by
-- connections_due.
select * from connections where refresh_at <= $1 and leased_until <= $1 and status = 'connected' order by refresh_at limit $2
