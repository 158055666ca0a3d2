-- One registered schedule: $1 environment, $2 app, $3 dynamic schedule, $4 key. Called by schedules.ts. Served by the table's unique key.
select * from schedules where environment_id = $1 and app_id = $2 and schedule_id = $3 and key = $4
