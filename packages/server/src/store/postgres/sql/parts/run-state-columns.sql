status text, state_kind text, cause text, due_at bigint, token text, since bigint, finished_at bigint, output_text text, outcome_text text,
    started_at bigint, executions integer, execution_ms double precision, failures integer, losses integer, yields_text text
