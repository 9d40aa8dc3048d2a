-- What failed and why: one line a reason, what nobody will try again first.
-- example_part is one of them: psql -v part=N -f story.sql tells all about it. Then decide: coldroll retry, skip or accept.
SELECT f.state, coalesce(f.reason, 'not recorded') AS reason, count(*) AS parts, sum(f.attempts) AS failures,
       sum(f.crashes) AS vanished_workers, min(f.failed_at) AS oldest_failure, max(f.failed_at) AS newest_failure,
       min(f.part) AS example_part,
       (array_agg(f.message ORDER BY f.failed_at DESC NULLS LAST))[1] AS last_message
FROM coldroll.failures AS f
GROUP BY 1, 2
ORDER BY f.state <> 'dead', parts DESC, 2;
