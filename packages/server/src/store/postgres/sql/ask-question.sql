-- Asks an app that is connected to another server: $1 id, $2 app, $3 the question, $4 now. Called by questions.ts. Served by questions_pkey.
insert into questions (id, app_id, question, asked_at) values ($1, $2, $3, $4) on conflict (id) do nothing
