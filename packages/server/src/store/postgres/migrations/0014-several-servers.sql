-- Processes of a connected app: until when each counts if nobody hears of it, by when it came, both in epoch milliseconds. The index of the newest is the
-- app's, whichever server it dialled. In the app's own row, so that whoever saves an index compares what is true then.
alter table apps add column processes jsonb not null default '{}';

-- Questions to connected apps while a sender waits, asked by a server that does not have the app's connection of one that has. Lost with a crash of the database,
-- as the sender's connection is: so nothing of them is logged. Texts are kept as bytes, as a request may hold what a text column cannot.
create unlogged table questions (
  id text primary key,
  app_id text not null,
  question bytea not null,
  asked_at bigint not null,
  is_taken boolean not null default false,
  answer bytea
);
