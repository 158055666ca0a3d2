-- One registered schedule: $1 id. Called by schedules.ts for each of its ticks. Served by schedules_pkey.
select * from schedules where id = $1
