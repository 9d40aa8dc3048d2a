-- What is slow: the twenty transfers that have been running longest, and what their hosts manage.
-- host_files and host_speed are of the last 15 minutes: a slow transfer on a quick host is a large or a difficult file,
-- a slow one on a slow host is the host's network.
SELECT r.part, r.object_name, r.kind, r.host, r.process_id, r.running_for, r.attempt, i.mime_type,
       round(i.width * i.height / 1e6, 1) AS megapixels, coalesce(h.files, 0) AS host_files,
       coldroll.size_text(coalesce(h.bytes, 0) / 900) || '/s' AS host_speed
FROM coldroll.running AS r
JOIN coldroll.part AS p ON p.id = r.part
JOIN coldroll.item AS i ON i.id = p.item_id
LEFT JOIN (
    SELECT w.host, count(*) AS files, sum(o.size)::bigint AS bytes
    FROM coldroll.object AS o
    JOIN coldroll.worker AS w ON w.id = o.worker_id
    WHERE o.stored_at > now() - interval '15 minutes' AND NOT o.adopted
    GROUP BY w.host
) AS h ON h.host = r.host
ORDER BY r.running_for DESC, r.part
LIMIT 20;
