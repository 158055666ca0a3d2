-- Statuses that runs set for people to see (`io.createStatus`). data_text is JSON text the database never parses; history_text a JSON array of what the status
-- was before, oldest first.
create table statuses (
  run_id text collate "C" not null,
  key text collate "C" not null,
  label text not null,
  state text,
  data_text text,
  history_text text not null,
  created_at bigint not null,
  primary key (run_id, key)
);
