-- Indexes that no other statement is to take for its own. A connection plans a statement once, and where the statistics knew little then, it may take an
-- index that leads with the right column and throw away what does not fit: the whole history of a run, or all who wait for anything. An index of an
-- expression serves only the statements that write the expression.

-- A run's tasks in order; each by itself is found by its key.
drop index tasks_by_position;
create index tasks_by_position on tasks ((run_id || ''), position);

-- Whom to drop; who waits for an event is found by its name.
drop index waiters_by_id;
create index waiters_by_id on waiters ((id || ''));

-- How lists by status find a run: by its status, but those that execute and those that succeeded stand together (''). So a run that ends well changes nothing
-- that is indexed, and its update writes no index: see docs/decisions/0011-lists-by-standing.md.
alter table runs add column standing text not null generated always as (case when status in ('EXECUTING', 'SUCCESS') then '' else status end) stored;
drop index runs_by_status;
create index runs_by_standing on runs (environment_id, standing, id);

-- Room beside the rows of a page for what becomes of all of them; weeks to come are made with it (partitions.ts).
do $$
declare week text;
begin
  for week in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'runs'::regclass and c.relkind = 'r' loop
    execute format('alter table %I set (fillfactor = 60)', week);
  end loop;
end $$;
