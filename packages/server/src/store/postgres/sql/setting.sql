-- One setting's value: $1 key. Called by catalog.ts. Served by settings_pkey.
select value from settings where key = $1
