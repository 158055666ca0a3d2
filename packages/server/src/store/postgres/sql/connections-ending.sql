-- Connections of which tokens are to be ended at their provider: $1 now, $2 limit. Called by connections.ts every half minute. Served by connections_ending.
select * from connections where ending_at <= $1 order by ending_at limit $2
