-- Doors: where an event asks before it starts a run of a job that has a rate limit or is debounced, one for each value of its key. Rows of doors and starts are
-- written only while the door's row is locked, by the transaction that stores the event. See docs/decisions/0007-doors.md.

-- starts: how many were let in. last_at: the last of them. run_id, event_id, since, due_at: the debounced run that was put off last. idle_at: nothing of it counts from then on.
create table doors (
  id text collate "C" primary key,
  starts bigint not null check (starts >= 0),
  last_at bigint,
  run_id text collate "C",
  event_id text collate "C",
  since bigint,
  due_at bigint,
  idle_at bigint not null,
  check (due_at >= since)
) with (fillfactor = 50);

-- The last starts at a door, as many as its limit, numbered without gaps. opens_at: a period after the start so many before it. The check refuses one start too
-- many, whatever the caller thinks.
create table starts (
  door text collate "C" not null,
  n bigint not null,
  at bigint not null,
  opens_at bigint not null,
  primary key (door, n),
  check (at >= opens_at)
);

-- An event that started no run of a job, and why. until_at: when one would have. by_event_id: the event that took its place.
create table skips (
  event_id text collate "C" not null,
  job_id text not null,
  environment_id text not null,
  at bigint not null,
  reason text not null check (reason in ('rate-limited', 'debounced')),
  until_at bigint,
  by_event_id text collate "C",
  primary key (event_id, job_id),
  check ((reason = 'debounced') = (by_event_id is not null))
);
create index skips_by_job on skips (environment_id, job_id, event_id);
