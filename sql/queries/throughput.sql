-- Files and bytes stored in each hour of the last two days, by host; what was found there already is not counted.
-- In the current hour the speed is that of the minutes that have passed.
SELECT date_trunc('hour', o.stored_at) AS hour, coalesce(w.host, 'unknown') AS host, count(*) AS files,
       coldroll.size_text(sum(o.size)) AS size,
       coldroll.size_text((sum(o.size)
                       / greatest(1, least(3600, extract(epoch FROM now() - date_trunc('hour', o.stored_at)))))::bigint)
       || '/s' AS speed,
       count(DISTINCT o.worker_id) AS workers
FROM coldroll.object AS o
LEFT JOIN coldroll.worker AS w ON w.id = o.worker_id
WHERE o.stored_at > now() - interval '2 days' AND NOT o.adopted
GROUP BY 1, 2
ORDER BY 1 DESC, 2;
