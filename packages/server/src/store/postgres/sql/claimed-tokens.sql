-- Which of these tokens hold work: tells whether a claim whose answer was lost was committed. Called by claim.ts: $1 tokens. Served by work_by_token.
select token from work where token = any($1::text[])
