-- Processes of a connected app: until when each counts if nobody hears of it, by when it came, both in epoch milliseconds. The index of the newest is the
-- app's, whichever server it dialled. In the app's own row, so that whoever saves an index compares what is true then.
alter table apps add column processes jsonb not null default '{}';
