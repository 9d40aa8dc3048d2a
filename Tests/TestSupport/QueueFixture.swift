package import JobQueue
import Logging
package import Postgres

/// A ledger with one library in the database of the running test, an open scan, and what tests do to it.
package struct QueueFixture: Sendable {
    package let pool: ConnectionPool
    package let ledger: Ledger
    package let queue: JobQueue
    /// Key of the library.
    package let source: Int64
    package let scan: ScanTicket

    package init(timing: JobQueue.Timing = JobQueue.Timing(), connections: Int = 4) async throws {
        var timing = timing
        // Nothing becomes due by itself, however slow the machine: `makeDue` does it.
        timing.orphanSpread *= 1000
        pool = ConnectionPool(
            conninfo: MigratedDatabase.conninfo,
            limit: connections,
            applicationName: "coldroll tests"
        )
        ledger = Ledger(pool: pool, secondLook: .zero)
        queue = JobQueue(pool: pool, timing: timing, logger: .none)
        source = try await ledger.source(kind: "library", account: "default", clientID: "client")
        scan = try await ledger.openScan(source: source, since: nil, until: nil)
    }

    /// An item with one part and three names, all made of `id`, unless `name` says otherwise.
    package static func item(
        _ id: String,
        name: String? = nil,
        month: String = "202401",
        isVideo: Bool = false
    ) -> FoundItem {
        let stem = "\(month)/\(name ?? id)"
        let names = [stem, "\(stem)~\(id)", "\(stem)~\(id)~\(id)"].map { NameCandidate(name: $0, key: $0.lowercased()) }
        return FoundItem(
            sourceItem: id,
            filename: name ?? id,
            mimeType: isVideo ? "video/mp4" : "image/jpeg",
            captureTime: "2024-01-02T03:04:05Z",
            captureFrom: "api",
            width: 4000,
            height: 3000,
            isVideo: isVideo,
            parts: [NewPart(kind: isVideo ? .video : .still, folderMonth: month, names: names)]
        )
    }

    /// Records `count` items, numbered on from `first`, in one page.
    @discardableResult
    package func record(_ count: Int, from first: Int = 0, isVideo: Bool = false) async throws -> PageCounts {
        let items = (first..<first + count).map { Self.item("item\($0)", isVideo: isVideo) }
        return try await ledger.record(scan, items, unreadable: 0, nextPageToken: "next")
    }

    /// Registers a worker of the library.
    package func worker() async throws -> Int64 {
        try await queue.register(host: "host", processID: 1, version: "test", slots: 4, sources: [source])
    }

    /// Claims for a worker of the library.
    package func claim(_ worker: Int64, _ limit: Int) async throws -> [ClaimedJob] {
        try await queue.claim(worker: worker, sources: [source], limit: limit)
    }

    /// What the bucket answers for `size` bytes.
    package static func object(_ size: Int64 = 10, newName: String? = nil) -> ObjectRecord {
        ObjectRecord(
            generation: 1,
            size: size,
            crc32c: 7,
            md5: nil,
            fidelity: .rendition,
            mediaKind: "jpeg",
            adopted: false,
            newName: newName
        )
    }

    /// The end of a job that is stored.
    package static func stored(_ job: ClaimedJob, motion: NewPart? = nil) -> Completion {
        Completion(job: job.reference, result: .stored(object(), motion: motion))
    }

    /// Runs one statement.
    @discardableResult
    package func sql(_ text: String, _ values: [PostgresValue] = []) async throws -> [Row] {
        try await pool.run(Statement("test", text), values)
    }

    /// The first column of the first row as a number.
    package func number(_ text: String, _ values: [PostgresValue] = []) async throws -> Int64 {
        guard let row = try await sql(text, values).first else { return 0 }
        return try row.integerOrNil(0) ?? 0
    }

    /// The first column of all rows as text.
    package func texts(_ text: String, _ values: [PostgresValue] = []) async throws -> [String] {
        try await sql(text, values).map { try $0.text(0) }
    }

    /// Says that the transfers of these jobs begin.
    @discardableResult
    package func start(_ worker: Int64, _ jobs: [ClaimedJob]) async throws -> Set<JobReference> {
        try await queue.start(worker: worker, jobs.map(\.reference)).begun
    }

    /// Makes a worker look silent for a minute, in which the database could be reached: another worker is the witness.
    package func silence(_ worker: Int64) async throws {
        try await sql(
            "UPDATE coldroll.worker SET beat_at = beat_at - interval '1 minute' WHERE id = $1",
            [.integer(worker)]
        )
        try await sql(
            """
            INSERT INTO coldroll.worker (id, host, process_id, version, slots, sources, steady_since)
            VALUES ($1, 'witness', 1, 'test', 0, '{}', now() - interval '1 hour')
            ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at, steady_since = excluded.steady_since
            """,
            [.integer(Self.witness)]
        )
    }

    /// Number of the worker that has no jobs and has been in touch all the time.
    package static let witness: Int64 = 1

    /// Makes everything that is scheduled due.
    package func makeDue() async throws {
        try await sql("UPDATE coldroll.job SET due = now() - interval '1 second' WHERE state = 'scheduled'")
    }
}
