-- An endpoint that its app registers with another service by itself: what it is for, and how far that is. JSON text the database never parses; null for others.
alter table endpoints add column source_text text;
