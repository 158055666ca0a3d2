-- Makes debounced runs, which wait for their time, those of another event. Called by doors.ts inside an intake's transaction, which has locked doors and work: $1 JSON
-- array. The revision stays: nothing that is decided meanwhile of a run which waits depends on what is changed here. Served by work_pkey and the primary key of the week's runs.
with input as materialized (
  select *
  from json_to_recordset($1::json) as i(
    id text, app_id text, job_name text, job_version text, event_row_id text, delivery_id text, is_test boolean, flow_text text, updated_at bigint, due_at bigint
  )
),
moved as (
  update work w set queue = i.app_id, due_at = i.due_at from input i where w.id = any (array[i.id])
)
update runs_of_week r set
  app_id = i.app_id, job_name = i.job_name, job_version = i.job_version, event_row_id = i.event_row_id, delivery_id = i.delivery_id, is_test = i.is_test,
  flow_text = i.flow_text, updated_at = greatest(r.updated_at, i.updated_at), due_at = i.due_at
from input i
where r.id = any (array[i.id])
