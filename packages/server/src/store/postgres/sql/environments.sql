-- Every environment. Called by catalog.ts at start and when the catalog's revision has moved.
select * from environments order by id
