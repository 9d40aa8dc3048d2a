import Postgres

/// SQL about outages of a service as a whole.
enum BreakerStatements {
    /// Worker `$3` tried service `$1` of place `$2` in vain, with reason `$4`; answers whether the breaker is open now.
    ///
    /// It stays closed where another process had an answer in the last `$5` seconds: then only this one is cut off. The
    /// next probe is due after `$6` seconds. A time that lies a minute ahead was written before the database's clock
    /// was set back: here and below it counts as long ago. Less is a transaction that waited for the row.
    static let report = Statement(
        "breaker.report",
        """
        INSERT INTO coldroll.breaker AS b (service, place, since, next_probe_at, prober, reason)
        VALUES ($1::text, $2::text, now(), now() + make_interval(secs => $6::double precision), $3::bigint, $4::text)
        ON CONFLICT ON CONSTRAINT breaker_pkey DO UPDATE
        SET since = coalesce(b.since, excluded.since), reason = excluded.reason,
            next_probe_at = coalesce(b.next_probe_at, excluded.next_probe_at),
            prober = CASE WHEN b.since IS NULL THEN excluded.prober ELSE b.prober END
        WHERE b.since IS NOT NULL OR b.sound_at IS NULL OR b.sound_at > now() + interval '1 minute'
           OR b.sound_at < now() - make_interval(secs => $5::double precision)
        RETURNING true
        """
    )

    /// Service `$1` of place `$2` answered a request that was sent `$3` seconds ago: closes what was open then.
    ///
    /// One row if it was open; processes together write every `$4` seconds at most while it is closed.
    static let sound = Statement(
        "breaker.sound",
        """
        WITH was AS MATERIALIZED (
            SELECT b.since FROM coldroll.breaker AS b WHERE b.service = $1::text AND b.place = $2::text
        ), noted AS (
            INSERT INTO coldroll.breaker AS b (service, place, sound_at)
            VALUES ($1::text, $2::text, now())
            ON CONFLICT ON CONSTRAINT breaker_pkey DO UPDATE
            SET sound_at = now(), since = NULL, next_probe_at = NULL, reason = NULL
            WHERE CASE WHEN b.since IS NULL
                       THEN b.sound_at IS NULL OR b.sound_at > now() + interval '1 minute'
                            OR b.sound_at < now() - make_interval(secs => $4::double precision)
                       ELSE b.since > now() + interval '1 minute'
                            OR b.since < now() - make_interval(secs => $3::double precision) END
            RETURNING 1
        )
        SELECT pg_notify('coldroll_job', '') FROM noted CROSS JOIN was WHERE was.since IS NOT NULL
        """
    )

    /// Lets worker `$3` try service `$1` of place `$2`, and nobody else for `$4` seconds; one row if it may.
    ///
    /// Who tried last waits `$5` seconds longer than the others: it may be the one that is cut off. After ten minutes it
    /// is tried half as often: in an outage of a day the tries alone would use up most of a day's requests.
    static let probe = Statement(
        "breaker.probe",
        """
        UPDATE coldroll.breaker AS b
        SET next_probe_at = now() + make_interval(secs => $4::double precision)
                            * CASE WHEN b.since < now() - interval '10 minutes' THEN 2 ELSE 1 END,
            prober = $3::bigint
        WHERE b.service = $1::text AND b.place = $2::text AND b.since IS NOT NULL
          AND (b.next_probe_at <= now() - CASE WHEN b.prober = $3::bigint THEN make_interval(secs => $5::double precision)
                                               ELSE interval '0' END
               OR b.next_probe_at > now() + 2 * make_interval(secs => $4::double precision) + interval '1 minute')
        RETURNING b.since
        """
    )

    /// Closes what service `$1` of place `$2` left open, without saying that it answered.
    static let close = Statement(
        "breaker.close",
        """
        UPDATE coldroll.breaker AS b
        SET since = NULL, next_probe_at = NULL, reason = NULL
        WHERE b.service = $1::text AND b.place = $2::text AND b.since IS NOT NULL
        RETURNING pg_notify('coldroll_job', '')
        """
    )

    /// Open breakers: service, place, reason, seconds that it is open, seconds until the next probe.
    static let open = Statement(
        "breaker.open",
        """
        SELECT b.service, b.place, b.reason, extract(epoch FROM now() - b.since)::double precision,
               greatest(0, extract(epoch FROM b.next_probe_at - now()))::double precision
        FROM coldroll.breaker AS b
        WHERE b.since IS NOT NULL
        ORDER BY b.since
        """
    )
}
