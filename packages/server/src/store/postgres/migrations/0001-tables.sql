-- Every table of Holdfast. Times are epoch milliseconds given by the server; *_text columns hold JSON text that the database never parses, so that what
-- was recorded comes back byte for byte. Ids come from outside, sort by time and compare by bytes (collate "C"). Deliveries, events, runs and tasks are cut
-- into weeks by their own id (a task by its run's): see partitions.ts, which also says why statements name the week's table directly.

create table environments (
  id text collate "C" primary key,
  slug text not null unique,
  type text not null,
  secret_key_hash text not null unique,
  secret_key_sealed text not null,
  secret_key_preview text not null,
  public_key text not null unique,
  created_at bigint not null
);

create table apps (
  id text collate "C" primary key,
  environment_id text collate "C" not null,
  slug text not null,
  transport text not null,
  url text,
  sdk text,
  index_text text,
  indexed_at bigint,
  last_error text,
  unique (environment_id, slug)
);

create table endpoints (
  id text collate "C" primary key,
  environment_id text collate "C" not null,
  app_id text collate "C" not null,
  slug text not null,
  shortcode text not null,
  preset text,
  secret_sealed text,
  created_at bigint not null,
  unique (environment_id, slug)
);

create table settings (
  key text primary key,
  value text not null
);

-- One row: grows with every save of the four tables above.
create table catalog_revision (
  only_row boolean primary key default true check (only_row),
  revision bigint not null
);
insert into catalog_revision (revision) values (0);

create table deliveries (
  id text collate "C" not null,
  environment_id text collate "C" not null,
  endpoint_id text collate "C",
  received_at bigint not null,
  method text not null,
  url text not null,
  headers_text text not null,
  body bytea not null,
  size bigint not null,
  verdict text not null,
  reason text,
  status integer not null,
  sender_id text,
  event_row_id text collate "C",
  primary key (id)
) partition by range (id);
create index deliveries_by_environment on deliveries (environment_id, id);
create index deliveries_by_endpoint on deliveries (endpoint_id, id);

create table events (
  id text collate "C" not null,
  environment_id text collate "C" not null,
  event_id text collate "C" not null,
  name text not null,
  source text not null,
  payload_text text not null,
  context_text text,
  payload_type text not null,
  timestamp bigint not null,
  created_at bigint not null,
  deliver_at bigint,
  delivered_at bigint,
  canceled_at bigint,
  account_id text,
  is_test boolean not null,
  delivery_id text collate "C",
  primary key (id)
) partition by range (id);
create index events_by_environment on events (environment_id, id);

-- Duplicate detection: narrow, unique over all weeks, with a retention of its own.
create table event_keys (
  environment_id text collate "C" not null,
  event_id text collate "C" not null,
  event_row_id text collate "C" not null,
  created_at bigint not null,
  primary key (environment_id, event_id)
);
create index event_keys_by_age on event_keys (created_at);

-- state_kind and the columns below it are the engine's RunState; status is its v2 name, so that views can filter.
create table runs (
  id text collate "C" not null,
  environment_id text collate "C" not null,
  app_id text collate "C" not null,
  job_id text not null,
  job_name text not null,
  job_version text not null,
  event_row_id text collate "C" not null,
  delivery_id text collate "C",
  is_test boolean not null,
  created_at bigint not null,
  updated_at bigint not null,
  revision integer not null,
  status text not null,
  state_kind text not null,
  cause text,
  due_at bigint,
  token text,
  since bigint,
  finished_at bigint,
  output_text text,
  outcome_text text,
  started_at bigint,
  executions integer not null,
  execution_ms double precision not null,
  failures integer not null,
  losses integer not null,
  yields_text text not null,
  primary key (id),
  check ((state_kind = 'finished') = (finished_at is not null)),
  check ((state_kind = 'executing') = (token is not null))
) partition by range (id);
create index runs_by_environment on runs (environment_id, id);
create index runs_by_job on runs (environment_id, job_id, id);
create index runs_by_status on runs (environment_id, status, id);
create index runs_by_event on runs (event_row_id);

create table tasks (
  run_id text collate "C" not null,
  key text collate "C" not null,
  id text collate "C" not null,
  parent_id text collate "C",
  name text not null,
  display_key text,
  noop boolean not null,
  status text not null,
  attempts integer not null,
  started_at bigint not null,
  completed_at bigint,
  delay_until bigint,
  output_text text,
  error_text text,
  details_text text,
  failures_text text,
  position bigint not null,
  primary key (run_id, key)
) partition by range (run_id);
create index tasks_by_position on tasks (run_id, position);
-- A task reported once, already final, never enters this one.
create index tasks_open on tasks (run_id) where status in ('PENDING', 'WAITING', 'RUNNING');

-- A recorded output never changes (I-3), whatever statement comes along.
create function keep_recorded_output() returns trigger language plpgsql as $$
begin
  raise exception 'the recorded output of task % of run % cannot change', old.key, old.run_id using errcode = 'HF001';
end $$;
create trigger tasks_output_is_final before update on tasks for each row
  when (old.status = 'COMPLETED' and (new.status <> 'COMPLETED' or new.output_text is distinct from old.output_text)
    or old.status = 'ERRORED' and new.status in ('COMPLETED', 'ERRORED')
      and (new.status <> old.status or new.error_text is distinct from old.error_text or new.output_text is distinct from old.output_text))
  execute function keep_recorded_output();

-- What must happen, to which subject, not before when. A claim pushes due_at to the end of its lease and names its holder.
create table work (
  id text collate "C" primary key,
  kind text not null,
  queue text collate "C" not null,
  due_at bigint not null,
  token text collate "C",
  owner text collate "C",
  attempts integer not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
create index work_due on work (queue, due_at);
create index work_by_token on work (token) where token is not null;
