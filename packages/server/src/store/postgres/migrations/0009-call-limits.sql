-- How long one call of a pushed app may take, in ms, as learned from calls its platform cut off.
alter table apps add column call_limit_ms integer;
