-- Health of the tables: their size, rows that are dead, the last vacuum, and how full they are.
-- bloat: the share of the table that rows by their average width do not explain; below 50 % is nothing to worry about.
-- snapshot_held: how long the oldest transaction of this database has kept vacuum from removing rows. If it is
-- hours, somebody left a transaction open: select pid, application_name, state, xact_start from pg_stat_activity.
SELECT t.relname AS "table", t.n_live_tup AS live_rows, t.n_dead_tup AS dead_rows,
       round(100.0 * t.n_dead_tup / nullif(t.n_live_tup + t.n_dead_tup, 0), 1) AS dead_percent,
       coldroll.size_text(pg_table_size(t.relid)) AS size, coldroll.size_text(pg_indexes_size(t.relid)) AS indexes,
       -- 28 bytes are a row's header and pointer; relpages and reltuples are of the last vacuum or analyze.
       greatest(0, round((100 * (1 - c.reltuples * (28 + w.width) / nullif(c.relpages * 8192.0, 0)))::numeric, 0)) AS bloat_percent,
       date_trunc('second', t.last_autovacuum) AS last_autovacuum, date_trunc('second', t.last_vacuum) AS last_vacuum,
       date_trunc('second', t.last_autoanalyze) AS last_autoanalyze,
       coldroll.snapshot_held() AS snapshot_held
FROM pg_stat_user_tables AS t
JOIN pg_class AS c ON c.oid = t.relid
LEFT JOIN (SELECT s.schemaname, s.tablename, sum((1 - s.null_frac) * s.avg_width) AS width
           FROM pg_stats AS s GROUP BY 1, 2) AS w ON w.schemaname = t.schemaname AND w.tablename = t.relname
WHERE t.schemaname = 'coldroll'
ORDER BY pg_total_relation_size(t.relid) DESC, t.relname;
