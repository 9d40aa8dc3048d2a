package import Postgres

/// What a part is stored as whose bytes another item has too.
package struct Doubt: Sendable, Equatable {
    /// Bytes of the object.
    package let size: Int64
    /// CRC32C of them.
    package let crc32c: UInt32
    /// A part of another item that had the same bytes.
    package let twin: PartID

    package init(size: Int64, crc32c: UInt32, twin: PartID) {
        self.size = size
        self.crc32c = crc32c
        self.twin = twin
    }
}

/// Doubts about what is stored; each part is doubted once, since a later download of the same bytes confirms it.
extension Ledger {
    /// Parts that are doubted by one statement at most.
    static let doubtBatch: Int64 = 20_000

    /// Doubts the stored parts of these sources that have the same bytes as another item and were never compared: they
    /// are in the queue from then on, and not stored.
    ///
    /// None is due before `secondLook` has passed since it was stored.
    ///
    /// Reads all objects; for a moment when nothing else is left to do. Safe to repeat.
    /// - Returns: how many there are now that were not before.
    /// - Throws: `PostgresError`.
    package func doubtTwins(sources: [Int64]) async throws(PostgresError) -> Int64 {
        var doubted: Int64 = 0
        while true {
            // In a statement before the one that looks, so that nothing is recorded between the two unseen.
            let horizon = try await pool.only(DoubtStatements.horizon, []).text(0)
            let values: [PostgresValue] = [
                .integers(sources), .integer(Self.doubtBatch), .text(horizon), .double(secondLook.seconds),
            ]
            let row = try await pool.only(DoubtStatements.find, values)
            let more = try row.integer(0)
            doubted += more
            if more < Self.doubtBatch { return doubted }
        }
    }

    /// Whether something of these sources (all if empty) was stored since `doubtTwins` looked last.
    package func isComparisonDue(sources: [Int64]) async throws(PostgresError) -> Bool {
        try await pool.only(DoubtStatements.isDue, [.integers(sources)]).boolean(0)
    }
}

/// A doubted part in a worker's hands.
extension JobQueue {
    /// What a claimed part that is doubted is stored as; nil if it is not doubted any more.
    package func doubt(of part: PartID) async throws(PostgresError) -> Doubt? {
        guard let row = try await pool.run(DoubtStatements.look, [.integer(part)]).first else { return nil }
        return Doubt(
            size: try row.integer(0),
            crc32c: UInt32(truncatingIfNeeded: try row.integer(1)),
            twin: try row.integer(2)
        )
    }

    /// Ends the doubt about a held part: what it is stored as is not its own.
    ///
    /// It is an ordinary job from then on, under another name.
    package func replace(
        worker: Int64,
        _ job: JobReference,
        under name: NameCandidate
    ) async throws(PostgresError) -> Renaming {
        do {
            let rows = try await pool.run(
                DoubtStatements.replace,
                [.integer(worker), .integer(job.part), .integer(job.lease), .text(name.name), .text(name.key)]
            )
            return rows.isEmpty ? .leaseLost : .renamed
        } catch {
            guard error.constraint == "part_name_key" else { throw error }
            return .taken
        }
    }
}
