import Foundation
import Testing

@testable import coldroll

@Suite struct CronTests {
    private func instant(_ text: String) throws -> Int {
        Int(try Date(text, strategy: .iso8601).timeIntervalSince1970)
    }

    private func text(_ instant: Int) -> String { Date(timeIntervalSince1970: Double(instant)).ISO8601Format() }

    private func schedule(_ expression: String, _ zone: String? = nil) throws -> Schedule {
        try Schedule(expression, try #require(WallClock(zone)))
    }

    /// The next times after a moment, as UTC.
    private func next(_ count: Int, _ expression: String, _ zone: String? = nil, after: String) throws -> [String] {
        let schedule = try schedule(expression, zone)
        var now = try instant(after)
        return (0..<count).map { _ in
            now = schedule.next(after: now)
            return text(now)
        }
    }

    @Test(arguments: [
        ("0 3 1 * *", ["2026-02-01T03:00:00Z", "2026-03-01T03:00:00Z"]),
        ("*/20 5 * * *", ["2026-01-15T05:00:00Z", "2026-01-15T05:20:00Z"]),
        ("5-59/30 * * * *", ["2026-01-15T00:05:00Z", "2026-01-15T00:35:00Z"]),
        ("15,45 0,12 * * *", ["2026-01-15T00:15:00Z", "2026-01-15T00:45:00Z"]),
        ("0 0 29 2 *", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        ("0 0 31 * *", ["2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"]),
        ("0 0 * jan,MAR mon-fri", ["2026-01-15T00:00:00Z", "2026-01-16T00:00:00Z"]),
        ("0 0 * * 7", ["2026-01-18T00:00:00Z", "2026-01-25T00:00:00Z"]),
        ("0 0 * * 0", ["2026-01-18T00:00:00Z", "2026-01-25T00:00:00Z"]),
        ("0 0 * * 5-7", ["2026-01-16T00:00:00Z", "2026-01-17T00:00:00Z"]),
        // Both days restricted: either is enough. With a star in one of them, both must fit.
        ("0 0 16 * sun", ["2026-01-16T00:00:00Z", "2026-01-18T00:00:00Z"]),
        ("0 0 */16 * sat", ["2026-01-17T00:00:00Z", "2026-08-01T00:00:00Z"]),
    ])
    func `each form of a field means what cron means by it`(_ expression: String, _ times: [String]) throws {
        #expect(try next(2, expression, after: "2026-01-14T23:59:59Z") == times)
    }

    @Test(arguments: [
        ("0 3 1 *", "five fields"), ("0 3 1 * * *", "five fields"), ("", "five fields"),
        ("60 3 1 * *", "has '60' for the minute; expected *, or numbers from 0 to 59"),
        ("0 24 * * *", "hour"), ("0 0 0 * *", "day of the month"), ("0 0 1 13 *", "month"), ("0 0 1 * 8", "week"),
        ("0 0 1 foo *", "month"), ("*/0 * * * *", "minute"), ("5/2 * * * *", "minute"), ("5-1 * * * *", "minute"),
        ("1,,2 * * * *", "minute"), ("-1 * * * *", "minute"), ("1- * * * *", "minute"),
        ("0 0 L * *", "day of the month"),
        ("@monthly", "five fields"), ("0 0 30 2 *", "never comes"), ("0 0 31 4,6,9,11 *", "never comes"),
        ("99999999999999999999 * * * *", "minute"), ("+1 * * * *", "minute"),
    ])
    func `what is no cron line is refused with the field that is wrong`(_ expression: String, _ words: String) {
        let fault = #expect(throws: Cron.Fault.self) { try Cron(expression) }
        #expect(fault?.words.contains(words) == true, "\(fault?.words ?? "")")
    }

    @Test func `times are of the zone that TZ names, and UTC without it`() throws {
        #expect(try next(1, "0 3 1 * *", after: "2026-06-15T00:00:00Z") == ["2026-07-01T03:00:00Z"])
        #expect(try next(1, "0 3 1 * *", "Europe/Helsinki", after: "2026-06-15T00:00:00Z") == ["2026-07-01T00:00:00Z"])
        #expect(try next(1, "0 3 1 * *", ":Europe/Helsinki", after: "2026-12-15T00:00:00Z") == ["2027-01-01T01:00:00Z"])
        #expect(
            try next(1, "0 3 1 * *", "America/Los_Angeles", after: "2026-12-15T00:00:00Z") == ["2027-01-01T11:00:00Z"]
        )
        #expect(try next(1, "30 5 * * *", "Asia/Kolkata", after: "2026-01-01T00:00:00Z") == ["2026-01-02T00:00:00Z"])
        for unknown in ["Mars/Olympus", "GMT+3", "EET-2EEST,M3.5.0/3,M10.5.0/4", "../etc/passwd"] {
            #expect(WallClock(unknown) == nil, "\(unknown)")
        }
        #expect(WallClock("") == WallClock(nil) && WallClock("UTC")?.name == "UTC")
    }

    @Test func `a time that the clock skips comes at the first instant after it`() throws {
        // Helsinki goes from 03:00 to 04:00 on 2026-03-29, at 01:00 UTC.
        #expect(
            try next(3, "30 3 * * *", "Europe/Helsinki", after: "2026-03-28T00:00:00Z")
                == ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        )
        // Many times in the gap are one.
        #expect(
            try next(3, "*/15 3,4 29 3 *", "Europe/Helsinki", after: "2026-03-28T00:00:00Z")
                == ["2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z"]
        )
        // Samoa had no 30 December in 2011.
        #expect(
            try next(2, "0 12 30,31 12 *", "Pacific/Apia", after: "2011-12-29T00:00:00Z")
                == ["2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"]
        )
    }

    @Test func `a time that the clock shows twice comes once`() throws {
        // Helsinki goes from 04:00 back to 03:00 on 2026-10-25, at 01:00 UTC.
        #expect(
            try next(3, "30 3 * * *", "Europe/Helsinki", after: "2026-10-24T00:00:00Z")
                == ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        )
        #expect(try next(1, "30 3 * * *", "Europe/Helsinki", after: "2026-10-25T00:30:00Z") == ["2026-10-26T01:30:00Z"])
    }

    @Test func `the last due time is never after now, nor before the schedule was known`() throws {
        let schedule = try schedule("0 3 1 * *")
        let since = try instant("2026-01-15T00:00:00Z")
        func last(_ now: String) throws -> String? {
            schedule.last(notAfter: try instant(now), notBefore: since).map(text)
        }
        #expect(try last("2026-02-01T02:59:59Z") == nil)
        #expect(try last("2026-02-01T03:00:00Z") == "2026-02-01T03:00:00Z")
        // Several that were missed are one.
        #expect(try last("2026-06-20T00:00:00Z") == "2026-06-01T03:00:00Z")
        #expect(schedule.last(notAfter: since - 1, notBefore: since) == nil)
    }

    @Test func `last and next agree through a year of clocks that change`() throws {
        for zone in ["Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"] {
            let schedule = try schedule("*/30 1-4 * * *", zone)
            let start = try instant(zone == "Pacific/Apia" ? "2011-06-01T00:00:00Z" : "2026-01-01T00:00:00Z")
            var now = start
            while now < start + 366 * 86_400 {
                let due = schedule.next(after: now)
                #expect(due > now)
                #expect(schedule.last(notAfter: due, notBefore: 0) == due)
                #expect(now == start || schedule.last(notAfter: due - 1, notBefore: 0) == now)
                now = due
            }
        }
    }

    @Test(arguments: [
        ("0 3 * * *", 1.0), ("0 3 * * sun", 7.0), ("0 3 1 * *", 31.0), ("0 3,15 * * *", 0.5),
        ("*/30 3 * * *", 23.5 / 24),
        // Near each other now, and far apart in the summer.
        ("0 3 * 1-5,10-12 *", 123.0), ("0 3 1,8,15,22,29 * *", 7.0), ("0 3 1,8,15,22 * *", 10.0),
        ("0 0 29 2 *", 1461.0),
    ])
    func `the greatest gap is that of a whole year`(_ expression: String, _ days: Double) throws {
        let gap = try schedule(expression, "Europe/Helsinki").greatestGap(from: try instant("2026-01-14T12:00:00Z"))
        #expect(Double(gap) == days * 86_400)
    }
}
