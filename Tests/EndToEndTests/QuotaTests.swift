import Foundation
import GoogleSimulator
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct QuotaTests {
    private func photos(_ count: Int, _ change: (inout SimulatorConfiguration) -> Void) throws -> Stage {
        try Stage { configuration in
            configuration.synthesis = SynthesisOptions(count: count, sizes: 5_000...20_000, videoPercent: 0)
            change(&configuration)
        }
    }

    /// Midnight in California, for Google and for the database.
    private func newDay(_ stage: Stage) async throws {
        stage.simulator.newDay()
        try await stage.texts("UPDATE coldroll.budget SET day = day - 1")
        try await openLanes(stage)
    }

    private func openLanes(_ stage: Stage) async throws {
        try await stage.texts("UPDATE coldroll.lane SET parked_until = now() WHERE parked_until > now()")
    }

    @Test func `a fleet stays within the day's quota by Google's own count, waits, and goes on the next day`()
        async throws
    {
        let stage = try photos(150) { $0.mediaQuota = 60 }
        let settings = ["COLDROLL_MEDIA_QUOTA": "60"]
        #expect(try await stage.run("scan").status == 0)
        let workers = try (0..<3).map { _ in try stage.start("work", "--drain", "--slots", "4", changing: settings) }
        for day in 1...2 {
            try await stage.until("the end of day \(day)'s quota") {
                let used = stage.simulator.quotaCounts.media.used
                let parked = try await stage.number("SELECT count(*) FROM coldroll.lane WHERE parked_until > now()")
                // An answer from before midnight may have parked the lanes once more after it.
                if used < 60, parked > 0 { try await openLanes(stage) }
                return used == 60 && parked == 2
            }
            try await stage.until("the jobs are given back") {
                try await stage.number("SELECT count(*) FROM coldroll.job WHERE state <> 'ready'") == 0
            }
            #expect(stage.simulator.quotaCounts.media.refused == 0)
            #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 60 * Int64(day))
            let status = try await stage.run("status")
            #expect(status.output.contains("60 of 60 media requests"), "\(status.output)")
            #expect(status.output.contains("parked for"), "\(status.output)")
            #expect(status.output.contains("midnight Pacific"), "\(status.output)")
            #expect(status.output.contains("; done by 20"), "\(status.output)")
            let json = try await stage.run("status", "--json")
            #expect(json.output.contains(#""left":0,"limit":60"#), "\(json.output)")
            try await newDay(stage)
        }
        try await stage.until("the rest is stored") {
            try await openLanes(stage)
            return try await stage.number("SELECT count(*) FROM coldroll.job") == 0
        }
        for worker in workers {
            let end = try await worker.end()
            #expect(end.status == 0, "\(end.output)")
        }
        #expect(stage.simulator.quotaCounts.media == (used: 30, refused: 0))
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `what a process drew and did not need is given back at its end`() async throws {
        let stage = try photos(30) { _ in }
        let settings = ["COLDROLL_MEDIA_QUOTA": "5000", "COLDROLL_API_QUOTA": "3000"]
        let end = try await stage.run("run", changing: settings)
        #expect(end.status == 0, "\(end.output)")
        let counts = stage.simulator.quotaCounts
        #expect(counts.media.used >= 30 && counts.api.used >= 1)
        #expect(
            try await stage.texts("SELECT kind || ' ' || drawn || ' ' || day_limit FROM coldroll.budget ORDER BY kind")
                == ["api \(counts.api.used) 3000", "media \(counts.media.used) 5000"]
        )
    }

    @Test func `Google's own refusal is believed: the source is parked once, and no part pays for it`() async throws {
        let stage = try photos(75) { $0.mediaQuota = 40 }
        #expect(try await stage.run("scan").status == 0)
        // The database is slow to learn of it.
        let gate = try await Connection.connect(stage.conninfo)
        try await gate.script("BEGIN; SELECT FROM coldroll.lane FOR UPDATE", name: "test.gate")
        let workers = try (0..<2).map { _ in try stage.start("work", "--drain", "--slots", "4") }
        try await stage.until("what was not refused is stored") {
            try await stage.number("SELECT count(*) FROM coldroll.object") == 40
        }
        try await stage.until("both wait to tell the database") {
            try await stage.number(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ) >= 2
        }
        let told = try await stage.texts("SELECT clock_timestamp()::text")[0]
        try await stage.until("both have lived on, and might have claimed") {
            try await stage.number(
                "SELECT count(*) FROM coldroll.worker WHERE beat_at > '\(told)'::timestamptz + interval '2 seconds'"
            ) == 2
        }
        try await gate.script("ROLLBACK", name: "test.open")
        try await stage.until("the source is parked") {
            try await stage.number("SELECT count(*) FROM coldroll.lane WHERE parked_until > now()") == 2
        }
        try await stage.until("the jobs are given back") {
            try await stage.number("SELECT count(*) FROM coldroll.job WHERE state <> 'ready'") == 0
        }
        // No more than were under way together.
        let refused = stage.simulator.quotaCounts.media.refused
        #expect(refused >= 1 && refused <= 8, "\(refused)")
        #expect(try await stage.number("SELECT max(slowed_for)::bigint FROM coldroll.lane") == 30)
        try await newDay(stage)
        try await stage.until("the rest is stored") {
            try await openLanes(stage)
            return try await stage.number("SELECT count(*) FROM coldroll.job") == 0
        }
        for worker in workers {
            let end = try await worker.end()
            #expect(end.status == 0, "\(end.output)")
        }
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `who insists on a worker's end does not wait for a lane that somebody holds`() async throws {
        let stage = try photos(20) { $0.mediaQuota = 10 }
        #expect(try await stage.run("scan").status == 0)
        let holder = try await Connection.connect(stage.conninfo)
        try await holder.script("BEGIN; SELECT FROM coldroll.lane FOR UPDATE", name: "test.hold")
        let worker = try stage.start("work", "--slots", "4")
        try await stage.until("it waits to tell the database") {
            try await stage.number(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ) >= 1
        }
        worker.signal(SIGTERM)
        try await stage.until("it says that it stops") { try worker.output.contains("Stopping: what is in hand") }
        worker.signal(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == 130, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job WHERE state <> 'ready' OR attempt > 0") == 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.worker WHERE state = 'stopped'") == 1)
        #expect(stage.simulator.quotaCounts.media.refused >= 1)
        await holder.close()
    }

    @Test func `a scan waits for the next day where its quota ends, and goes on with the next page`() async throws {
        let stage = try photos(950) { $0.apiQuota = 4 }
        let scan = try stage.start("scan", changing: ["COLDROLL_API_QUOTA": "4"])
        for day in 1...2 {
            try await stage.until("four pages more") {
                try await stage.number("SELECT count(*) FROM coldroll.item") == 400 * Int64(day)
            }
            try await stage.until("the quota's end is noticed") {
                try await stage.number("SELECT drawn FROM coldroll.budget WHERE kind = 'api'") == 4
            }
            #expect(stage.simulator.quotaCounts.api == (used: 4, refused: 0))
            try await newDay(stage)
        }
        let end = try await scan.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.item") == 950)
        #expect(stage.simulator.quotaCounts.api.refused == 0)
    }

    @Test func `Google's word that the day's quota is used up closes the day for all`() async throws {
        // Two pages, the last one asked for twice.
        let stage = try photos(150) { $0.apiQuota = 3 }
        let scan = try await stage.run("scan")
        #expect(scan.status == 0, "\(scan.output)")
        let worker = try stage.start("work", "--drain", "--slots", "2")
        try await stage.until("the source is parked") {
            try await stage.number("SELECT count(*) FROM coldroll.lane WHERE parked_until > now()") == 2
        }
        let hour = try await stage.number(
            "SELECT extract(hour FROM clock_timestamp() AT TIME ZONE 'America/Los_Angeles')::bigint"
        )
        if hour > 0 {
            #expect(try await stage.number("SELECT count(*) FROM coldroll.budget WHERE refused_at IS NOT NULL") == 1)
            let status = try await stage.run("status")
            #expect(status.output.contains("used today, Google gives no more"), "\(status.output)")
        }
        stage.simulator.newDay()
        try await stage.until("the rest is stored") {
            // A Google that knows no more than three requests a day needs some of them.
            stage.simulator.newDay()
            try await newDay(stage)
            return try await stage.number("SELECT count(*) FROM coldroll.job") == 0
        }
        let end = try await worker.end()
        #expect(end.status == 0, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)
    }
}
