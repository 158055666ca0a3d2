-- Schedules that programs register at run time, on a dynamic schedule their app defines. Each keeps one tick stored ahead, which is an event of work.
-- next_at: when that tick is due; 0 as long as none was stored, null when none comes any more. anchor_at: what an interval counts from.
create table schedules (
  id text collate "C" primary key,
  environment_id text collate "C" not null,
  app_id text collate "C" not null,
  schedule_id text collate "C" not null,
  key text collate "C" not null,
  schedule_text text not null,
  account_id text,
  metadata_text text,
  revision integer not null,
  anchor_at bigint not null,
  last_at bigint,
  next_at bigint,
  updated_at bigint not null,
  unique (environment_id, app_id, schedule_id, key)
);
create index schedules_due on schedules (environment_id, next_at) where next_at is not null;

-- What a run sees as its source ({id, metadata}), as JSON text, where the event's own source says less.
alter table events add column source_text text;
