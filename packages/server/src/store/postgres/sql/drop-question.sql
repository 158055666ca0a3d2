-- Nobody waits for it any more: $1 id. Called by questions.ts. Served by questions_pkey.
delete from questions where id = $1
