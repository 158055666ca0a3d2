-- Registers a schedule, or replaces the one that is still as it was read: $1 the row as JSON, $2 the revision and $3 the next_at that were read (null: none was
-- there). Answers a row if it did. Called by schedules.ts. Served by the table's unique key.
insert into schedules as s select r.* from json_populate_record(null::schedules, $1::json) r
on conflict (environment_id, app_id, schedule_id, key) do update set
  schedule_text = excluded.schedule_text, account_id = excluded.account_id, metadata_text = excluded.metadata_text, revision = excluded.revision,
  anchor_at = excluded.anchor_at, last_at = excluded.last_at, next_at = excluded.next_at, updated_at = excluded.updated_at
where s.revision = $2::integer and s.next_at is not distinct from $3::bigint
returning s.id
