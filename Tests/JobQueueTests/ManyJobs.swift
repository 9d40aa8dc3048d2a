import JobQueue
import Postgres
import TestSupport

extension QueueFixture {
    /// Items with their parts and jobs, of every `videos` one a video; by SQL, since only their number matters.
    func fill(_ count: Int64, videos: Int64 = 5) async throws {
        try await sql(
            """
            WITH item AS (
                INSERT INTO coldroll.item (source_id, scan_id, is_video, source_item, capture_from)
                SELECT $1, $2, n % $4::bigint = 0, 'item' || n, 'api' FROM generate_series(1, $3::bigint) AS n
                RETURNING id, is_video
            ), part AS (
                INSERT INTO coldroll.part (id, item_id, source_id, kind, folder_month, object_name, name_key)
                SELECT i.id, i.id, $1, 'still', '202401', '202401/' || i.id, '202401/' || i.id FROM item AS i
            )
            INSERT INTO coldroll.job (part_id, lane_id)
            SELECT i.id, l.id
            FROM item AS i
            JOIN coldroll.lane AS l ON l.source_id = $1 AND l.kind = CASE WHEN i.is_video THEN 'video' ELSE 'photo' END
            """,
            [.integer(source), .integer(scan.id), .integer(count), .integer(videos)]
        )
    }
}
