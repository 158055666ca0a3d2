-- Flow control: see docs/decisions/0004-slots-are-rows.md. A run that executes holds one slot at each of its gates; a run that finds no slot is parked and has
-- no row of work. Rows of gates, slots and parked are written only while the gate's row is locked, and gates are locked in the order of their ids.

-- The run's gates and priority as JSON text; null: nothing limits it.
alter table runs add column flow_text text;

create table gate_limits (
  rule text collate "C" primary key,
  capacity integer not null check (capacity > 0)
);

-- turn: the turn the gate has come to, and the last one given to the runs of its key: see waitingPlaces in the engine's flow.ts.
-- ceiling: the capacity, or what was held already when the capacity was lowered below it. It sinks as slots are freed and is never exceeded.
create table gates (
  id text collate "C" primary key,
  rule text collate "C" not null,
  capacity integer not null check (capacity > 0),
  used integer not null,
  ceiling integer not null,
  turn bigint not null,
  touched_at bigint not null,
  check (used between 0 and ceiling),
  check (ceiling >= capacity)
) with (fillfactor = 50);
create index gates_by_rule on gates (rule);

create table slots (
  run_id text collate "C" not null,
  gate text collate "C" not null,
  primary key (run_id, gate)
);

-- A run that waits at a gate; turn 0: it has executed before and goes first. invited: it was given a row of work and asks again when it is claimed.
create table parked (
  run_id text collate "C" primary key,
  gate text collate "C" not null,
  queue text collate "C" not null,
  priority integer not null,
  turn bigint not null,
  invited boolean not null
);
create index parked_in_order on parked (gate, queue, priority desc, turn, run_id) where not invited;
create index parked_invited on parked (gate, queue) where invited;
