-- What has become of a question: $1 id. Called by questions.ts for who asked. Served by questions_pkey.
select is_taken, answer from questions where id = $1
