-- Every app with its index. Called by catalog.ts at start and when the catalog's revision has moved.
select * from apps order by id
