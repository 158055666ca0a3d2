-- Every endpoint. Called by catalog.ts at start and when the catalog's revision has moved.
select * from endpoints order by id
