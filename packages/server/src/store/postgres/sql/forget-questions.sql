-- Drops questions whose askers died: $1 asked before then. Called by questions.ts, hourly; the table holds what is being asked now.
delete from questions where asked_at < $1
