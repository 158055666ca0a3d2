-- Indexes that no other statement is to take for its own. A connection plans a statement once, and where the statistics knew little then, it may take an
-- index that leads with the right column and throw away what does not fit: the whole history of a run, or all who wait for anything. An index of an
-- expression serves only the statements that write the expression.

-- A run's tasks in order; each by itself is found by its key.
drop index tasks_by_position;
create index tasks_by_position on tasks ((run_id || ''), position);

-- Whom to drop; who waits for an event is found by its name.
drop index waiters_by_id;
create index waiters_by_id on waiters ((id || ''));
