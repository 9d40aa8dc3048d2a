import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct CompletionTests {
    @Test func `a completion stores the object and ends the job`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(2)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 2)
        let object = ObjectRecord(
            generation: 1_700_000_000_000_000,
            size: 1 << 40,
            crc32c: .max,
            md5: "md5==",
            fidelity: .reduced,
            mediaKind: "heic",
            adopted: true
        )
        let end = Completion(job: jobs[0].reference, result: .stored(object, motion: nil))
        #expect(try await fixture.queue.complete(worker: worker, [end]) == [jobs[0].reference])
        let row = try #require(
            try await fixture.sql(
                """
                SELECT generation, size, crc32c, md5, fidelity, media_kind, adopted, lease, worker_id
                FROM coldroll.object WHERE part_id = $1
                """,
                [.integer(jobs[0].reference.part)]
            ).first
        )
        #expect(try row.integer(0) == object.generation)
        #expect(try row.integer(1) == object.size)
        #expect(try row.integer(2) == Int64(UInt32.max))
        #expect(try row.text(3) == "md5==")
        #expect(try row.text(4) == "reduced")
        #expect(try row.text(5) == "heic")
        #expect(try row.boolean(6))
        #expect(try row.integer(7) == jobs[0].reference.lease)
        #expect(try row.integer(8) == worker)
        let totals = try await fixture.queue.totals(sources: [])
        #expect(totals.stored == 1 && totals.running == 1 && totals.found == 2 && totals.unaccounted == 0)
        #expect(totals.storedBytes == object.size && totals.renditions == 1 && totals.originals == 0)
    }

    @Test func `stored, skipped and dead parts can end in one call`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(4)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 4)
        let ends = [
            QueueFixture.stored(jobs[0]),
            Completion(job: jobs[1].reference, result: .skipped(reason: "no clip")),
            Completion(job: jobs[2].reference, result: .dead(reason: "FAILED")),
        ]
        #expect(try await fixture.queue.complete(worker: worker, ends).count == 3)
        let totals = try await fixture.queue.totals(sources: [fixture.source])
        #expect(totals.stored == 1 && totals.skipped == 1 && totals.dead == 1 && totals.live == 1)
        #expect(totals.unaccounted == 0)
        #expect(
            try await fixture.texts(
                "SELECT kind || ' ' || reason || ' ' || decided_by FROM coldroll.outcome ORDER BY kind"
            )
                == ["dead FAILED worker", "skipped no clip worker"]
        )
    }

    @Test func `a repeated completion is recognised as accepted and changes nothing`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(3)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 3)
        let ends = [
            QueueFixture.stored(jobs[0], motion: Self.clip("clip")),
            Completion(job: jobs[1].reference, result: .dead(reason: "FAILED")),
            QueueFixture.stored(jobs[2]),
        ]
        let once = try await fixture.queue.complete(worker: worker, ends)
        #expect(once == Set(jobs.map(\.reference)))
        #expect(try await fixture.queue.complete(worker: worker, ends) == once)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.object") == 2)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.outcome") == 1)
        #expect(try await fixture.number("SELECT count(*) FROM coldroll.part WHERE kind = 'motion'") == 1)
    }

    @Test func `a motion photo's clip becomes a part and a job in the statement that stores the still`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(1)
        let worker = try await fixture.worker()
        let still = try #require(try await fixture.claim(worker, 1).first)
        _ = try await fixture.queue.complete(
            worker: worker,
            [QueueFixture.stored(still, motion: Self.clip("item0.MOV"))]
        )
        let clip = try #require(try await fixture.claim(worker, 1).first)
        #expect(clip.kind == .motion)
        #expect(clip.objectName == "202401/item0.MOV")
        #expect(clip.sourceItem == still.sourceItem)
        #expect(clip.lane == still.lane)
        let totals = try await fixture.queue.totals(sources: [])
        #expect(totals.found == 2 && totals.unaccounted == 0)
    }

    @Test func `clips of one batch that want the same name get different ones, and avoid taken ones`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.record(4)
        let worker = try await fixture.worker()
        let jobs = try await fixture.claim(worker, 4)
        // The name of the last still is taken by a part, the others clash with each other.
        let taken = NewPart(kind: .motion, folderMonth: "202401", names: Self.names("item3", "free"))
        let ends =
            jobs.dropLast().map { QueueFixture.stored($0, motion: Self.clip("same", suffix: $0.sourceItem)) }
            + [QueueFixture.stored(jobs[3], motion: taken)]
        #expect(try await fixture.queue.complete(worker: worker, ends).count == 4)
        let names = try await fixture.texts("SELECT object_name FROM coldroll.part WHERE kind = 'motion' ORDER BY 1")
        #expect(names.count == 4)
        #expect(names.contains("202401/same"))
        #expect(names.contains("202401/free"))
    }

    @Test func `a clip that is known already is left alone`() async throws {
        let fixture = try await QueueFixture()
        let both = FoundItem(
            sourceItem: "m",
            filename: nil,
            mimeType: nil,
            captureTime: nil,
            captureFrom: "none",
            width: nil,
            height: nil,
            isVideo: false,
            parts: [
                NewPart(kind: .still, folderMonth: "undated", names: Self.names("s")), Self.clip("m"),
            ]
        )
        _ = try await fixture.ledger.record(fixture.scan, [both], unreadable: 0, nextPageToken: nil)
        let worker = try await fixture.worker()
        let still = try #require(try await fixture.claim(worker, 2).first { $0.kind == .still })
        #expect(
            try await fixture.queue.complete(worker: worker, [QueueFixture.stored(still, motion: Self.clip("other"))])
                == [still.reference]
        )
        #expect(try await fixture.texts("SELECT object_name FROM coldroll.part WHERE kind = 'motion'") == ["202401/m"])
    }

    static func names(_ names: String...) -> [NameCandidate] {
        names.map { NameCandidate(name: "202401/\($0)", key: "202401/\($0)".lowercased()) }
    }

    static func clip(_ name: String, suffix: String = "x") -> NewPart {
        NewPart(kind: .motion, folderMonth: "202401", names: names(name, "\(name)~\(suffix)"))
    }
}
