-- Credentials of integrations that the server keeps. account_id is '' for the developer's own. Texts named *_sealed open only with the encryption key.
create table oauth_clients (
  environment_id text collate "C" not null,
  integration_id text collate "C" not null,
  provider text not null,
  client_id text not null,
  secret_sealed text,
  scopes text[] not null,
  authorize_url text,
  token_url text,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (environment_id, integration_id)
);

create table connections (
  environment_id text collate "C" not null,
  integration_id text collate "C" not null,
  account_id text collate "C" not null,
  id text collate "C" not null,
  status text not null,
  provider text,
  tokens_sealed text,
  scopes text[] not null,
  fields_text text,
  title text,
  expires_at bigint,
  refresh_at bigint,
  leased_until bigint not null,
  generation integer not null,
  revision integer not null,
  error text,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (environment_id, integration_id, account_id)
);
create index connections_due on connections (refresh_at) where refresh_at is not null and status = 'connected';

-- Authorizations under way. sealed: the secret half of PKCE and what the browser must show; the state itself is not kept, only its hash.
create table authorizations (
  state_hash text collate "C" primary key,
  environment_id text collate "C" not null,
  integration_id text collate "C" not null,
  account_id text collate "C" not null,
  sealed text not null,
  expires_at bigint not null
);
create index authorizations_by_end on authorizations (expires_at);

-- Runs that wait for a connection, by its key and not its id: it may not exist yet.
create table connection_waits (
  environment_id text collate "C" not null,
  integration_id text collate "C" not null,
  account_id text collate "C" not null,
  run_id text collate "C" not null,
  created_at bigint not null,
  primary key (environment_id, integration_id, account_id, run_id)
);
create index connection_waits_by_age on connection_waits (created_at);
