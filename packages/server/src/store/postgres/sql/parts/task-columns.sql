run_id text, key text, id text, parent_id text, name text, display_key text, noop boolean, status text, attempts integer,
    started_at bigint, completed_at bigint, delay_until bigint, output_text text, error_text text, details_text text,
    failures_text text, position bigint
