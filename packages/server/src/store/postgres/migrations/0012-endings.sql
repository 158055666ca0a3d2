-- Ending a connection's tokens at their provider, and telling providers apart. revoke_url: where tokens are ended (RFC 7009), if not where it is for everybody; issuer: what the
-- provider's answers name (RFC 9207). ending_sealed: tokens that are to be ended there; ending_at: the next try; ending_error: why the last one failed, or why none follows.
alter table oauth_clients add column revoke_url text, add column issuer text;
alter table connections add column ending_sealed text, add column ending_at bigint, add column ending_error text;
create index connections_ending on connections (ending_at) where ending_at is not null;
create index connections_by_id on connections (id);
