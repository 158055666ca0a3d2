-- What runs wait for outside of them, and what is sent out on their behalf.

-- True while only a request to the task's callback URL can complete it, and not while it waits for a retry: its last failure is then of an earlier attempt.
-- Its details begin with that URL: see CALLBACK_DETAILS in the engine's task.ts.
create function awaits_callback(attempts integer, details text, failures text) returns boolean language sql immutable
  return coalesce(details like '{"callbackUrl":%', false) and coalesce((failures::json -> -1 ->> 'attempt')::integer < attempts, true);

-- Who waits for an event of that name, one row a name. rule_text: what the event must be besides, and whom to tell.
create table waiters (
  environment_id text collate "C" not null,
  name text not null,
  id text collate "C" not null,
  rule_text text not null,
  expires_at bigint not null,
  primary key (environment_id, name, id)
);
create index waiters_by_id on waiters (id);
create index waiters_by_age on waiters (expires_at);

-- Requests to be made. One that awaits the end of its run gets its row of work when the run has ended, in the same transaction; any other has it from the start.
create table outbound (
  id text collate "C" primary key,
  environment_id text collate "C" not null,
  kind text not null,
  queue text collate "C" not null,
  run_id text collate "C",
  request_text text not null,
  created_at bigint not null,
  awaits_end boolean not null
);
create index outbound_by_run on outbound (run_id) where awaits_end;
