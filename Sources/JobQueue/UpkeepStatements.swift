import Postgres

/// SQL that keeps the tables small and quick.
enum UpkeepStatements {
    /// Removes up to `$2` failures older than `$1` seconds; counts them.
    ///
    /// The last failure of a part that is dead, or that will be tried again, is the reason that a person is told: it stays.
    static let prune = Statement(
        "job_error.prune",
        """
        WITH old AS MATERIALIZED (
            SELECT e.id
            FROM coldroll.job_error AS e
            WHERE e.at < now() - make_interval(secs => $1::double precision)
              AND NOT (NOT EXISTS (SELECT FROM coldroll.job_error AS n WHERE n.part_id = e.part_id AND n.id > e.id)
                       AND (EXISTS (SELECT FROM coldroll.outcome AS c
                                    WHERE c.part_id = e.part_id AND c.superseded_at IS NULL AND c.kind = 'dead')
                            OR EXISTS (SELECT FROM coldroll.job AS j WHERE j.part_id = e.part_id)))
            LIMIT $2::bigint
            FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM coldroll.job_error AS e WHERE e.id = ANY (ARRAY (SELECT o.id FROM old AS o)) RETURNING e.id
        )
        SELECT count(*) FROM gone
        """
    )

    /// Row versions of `job` that a vacuum would remove, as the server counts them, whether this user may vacuum, and the
    /// seconds since anybody did; null: nobody yet.
    static let deadRows = Statement(
        "job.dead_rows",
        """
        SELECT pg_stat_get_dead_tuples(c.oid), pg_has_role(c.relowner, 'USAGE'),
               extract(epoch FROM clock_timestamp()
                                  - greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)))
               ::double precision
        FROM pg_class AS c
        WHERE c.oid = 'coldroll.job'::regclass
        """
    )

    /// Passed over where another vacuum is at work.
    ///
    /// Indexes are cleaned however few the dead rows are: in a table of ten million, two in a hundred, which vacuum thinks
    /// not worth it, are two hundred thousand entries that each claim walks over.
    static let vacuum = Statement(
        "job.vacuum",
        "VACUUM (SKIP_LOCKED, INDEX_CLEANUP ON, PARALLEL 0) coldroll.job"
    )
}
