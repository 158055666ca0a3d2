-- Values that users' code keeps by key: `io.store` and `client.store`. One flat space an environment; the SDK puts "job:<id>:" or "run:<id>:" before the
-- keys of its narrower scopes. value_text is JSON text; null is undefined, which is not the same as no row.
create table key_values (
  environment_id text collate "C" not null,
  key text collate "C" not null,
  value_text text,
  updated_at bigint not null,
  primary key (environment_id, key)
);
