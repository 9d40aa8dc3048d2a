package import Postgres

extension JobQueue {
    /// Up to `limit` jobs of the open lanes of these sources, an equal share of each; empty for a dead or unknown worker.
    ///
    /// The lanes `lanes` are left out: the worker has enough of theirs.
    ///
    /// A lane that has less than its share leaves the rest to the others by a second round. If that round fails, what
    /// the first one claimed is returned.
    package func claim(
        worker: Int64,
        sources: [Int64],
        limit: Int,
        excluding lanes: [Int64] = []
    ) async throws(PostgresError) -> [ClaimedJob] {
        var jobs: [ClaimedJob] = []
        while jobs.count < limit {
            let rows: [Row]
            let places = hints.places(), began = ContinuousClock.now
            do {
                rows = try await pool.run(
                    ClaimStatements.claim,
                    [
                        .integer(worker), .integers(sources), .integer(Int64(limit - jobs.count)),
                        .integers(lanes),
                        .integers(Array(places.keys)), .integers(places.values.map(\.rank)),
                        .integers(places.values.map(\.part)),
                    ]
                )
            } catch {
                guard jobs.isEmpty else { break }
                throw error
            }
            jobs.reserveCapacity(jobs.count + rows.count)
            var lasts: [Int64: ClaimHints.Place] = [:]
            for row in rows {
                let job = try ClaimedJob(row)
                let place = ClaimHints.Place(rank: try row.integer(17), part: job.reference.part)
                lasts[job.lane] = max(lasts[job.lane] ?? place, place)
                jobs.append(job)
            }
            hints.note(lasts, jobs: rows.count, fromStart: places.isEmpty)
            if places.isEmpty { hints.walked(.claim, since: began) }
            if rows.isEmpty { break }
        }
        return jobs
    }
}

extension ClaimedJob {
    /// A row of `job.claim`.
    fileprivate init(_ row: Row) throws(PostgresError) {
        let word = try row.text(6)
        guard let kind = PartKind(rawValue: word) else {
            throw PostgresError(
                code: .unexpectedAnswer,
                message: "a part has the kind \(word), which this version does not know",
                statement: ClaimStatements.claim.name
            )
        }
        self.init(
            reference: JobReference(part: try row.integer(0), lease: try row.integer(1)),
            kind: kind,
            source: try row.integer(7),
            lane: try row.integer(2),
            attempt: Int(try row.integer(3)),
            crashes: Int(try row.integer(4)),
            acceptReduced: try row.boolean(5),
            objectName: try row.text(8),
            folderMonth: try row.text(9),
            sourceItem: try row.text(10),
            filename: row.textOrNil(11),
            mimeType: row.textOrNil(12),
            captureTime: row.textOrNil(13),
            width: try row.integerOrNil(14),
            height: try row.integerOrNil(15),
            hasUpload: try row.boolean(16),
            isDoubted: try row.boolean(18)
        )
    }
}
