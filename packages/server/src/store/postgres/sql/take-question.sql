-- Takes a question into hand, once: $1 id. Answers it. Called by questions.ts. Served by questions_pkey.
update questions set is_taken = true where id = $1 and not is_taken returning question
