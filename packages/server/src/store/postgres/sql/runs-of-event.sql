-- The runs an event started, in order of id: $1 the event's row id. Called by reads.ts. Served by runs_by_event in every week.
select * from runs where event_row_id = $1 order by id
