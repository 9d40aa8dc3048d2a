-- The fifty biggest files in the archive, and their share of it.
SELECT p.id AS part, p.object_name, p.kind, o.media_kind, o.fidelity, coldroll.size_text(o.size) AS size, o.size AS bytes,
       round(100 * o.size / nullif(t.bytes, 0), 2) AS percent_of_all, o.stored_at
FROM (SELECT b.* FROM coldroll.object AS b ORDER BY b.size DESC, b.part_id LIMIT 50) AS o
JOIN coldroll.part AS p ON p.id = o.part_id
CROSS JOIN (SELECT sum(y.bytes) AS bytes FROM coldroll.tally AS y) AS t
ORDER BY o.size DESC, p.id;
