-- What an app answered: $1 id, $2 its answer. Called by questions.ts. Served by questions_pkey.
update questions set answer = $2 where id = $1
