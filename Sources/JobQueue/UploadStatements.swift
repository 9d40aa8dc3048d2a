import Postgres

/// SQL of half-done uploads.
///
/// The fence is the claim: the job's row is locked first, so that it cannot end, and its upload with it, in between.
enum UploadStatements {
    /// Keeps a session, in place of any other of the part; one row if the claim still holds.
    static let keep = Statement(
        "upload.keep",
        """
        WITH held AS MATERIALIZED (
            SELECT j.part_id, j.lease
            FROM coldroll.job AS j
            WHERE j.part_id = $2::bigint AND j.lease = $3::bigint AND j.worker_id = $1::bigint AND j.state = 'running'
            FOR NO KEY UPDATE
        )
        INSERT INTO coldroll.upload AS u (part_id, lease, stored_offset, length, archive_url, object_name, session_uri)
        SELECT h.part_id, h.lease, $4::bigint, $5::bigint, $6::text, $7::text, $8::text FROM held AS h
        ON CONFLICT (part_id) DO UPDATE
        SET lease = excluded.lease, stored_offset = excluded.stored_offset, length = excluded.length,
            archive_url = excluded.archive_url, object_name = excluded.object_name,
            session_uri = excluded.session_uri, begun_at = now(), updated_at = now()
        RETURNING u.part_id
        """
    )

    /// Makes an upload this claim's own and answers it; whoever had it before can note or forget nothing any more.
    static let take = Statement(
        "upload.take",
        """
        WITH held AS MATERIALIZED (
            SELECT j.part_id, j.lease
            FROM coldroll.job AS j
            WHERE j.part_id = $2::bigint AND j.lease = $3::bigint AND j.worker_id = $1::bigint AND j.state = 'running'
            FOR NO KEY UPDATE
        )
        UPDATE coldroll.upload AS u SET lease = h.lease, updated_at = now()
        FROM held AS h
        WHERE u.part_id = h.part_id
        RETURNING u.length, u.archive_url, u.object_name, u.session_uri
        """
    )

    /// Notes how much the bucket has; one row if the claim still holds and the upload is its own.
    static let note = Statement(
        "upload.note",
        """
        WITH held AS MATERIALIZED (
            SELECT j.part_id, j.lease
            FROM coldroll.job AS j
            WHERE j.part_id = $2::bigint AND j.lease = $3::bigint AND j.worker_id = $1::bigint AND j.state = 'running'
            FOR NO KEY UPDATE
        )
        UPDATE coldroll.upload AS u SET stored_offset = $4::bigint, updated_at = now()
        FROM held AS h
        WHERE u.part_id = h.part_id AND u.lease = h.lease
        RETURNING u.part_id
        """
    )

    /// Forgets a session that is of no use any more, unless another claim has taken it.
    static let forget = Statement(
        "upload.forget",
        """
        WITH held AS MATERIALIZED (
            SELECT j.part_id, j.lease
            FROM coldroll.job AS j
            WHERE j.part_id = $2::bigint AND j.lease = $3::bigint AND j.worker_id = $1::bigint AND j.state = 'running'
            FOR NO KEY UPDATE
        )
        DELETE FROM coldroll.upload AS u
        USING held AS h
        WHERE u.part_id = h.part_id AND u.lease = h.lease
        """
    )
}
