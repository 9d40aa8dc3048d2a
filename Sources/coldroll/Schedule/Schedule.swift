/// When runs are due: a cron line in a time zone; instants are whole seconds since 1970.
struct Schedule: Sendable, Equatable {
    /// As it was given, with single spaces.
    let expression: String
    let cron: Cron
    let clock: WallClock

    /// - Throws: `Cron.Fault`.
    init(_ text: String, _ clock: WallClock) throws(Cron.Fault) {
        cron = try Cron(text)
        expression = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        self.clock = clock
    }

    /// Wall clocks were put forward or back by less than this (Samoa left out a whole day in 2011).
    private static let greatestJump = 90_000
    private static let day = 86_400

    /// The last due instant that is not after `now` and not before `since`; nil if there is none.
    ///
    /// Wall times that the clock skips or shows twice keep their order as instants, so the first that fits is the last.
    func last(notAfter now: Int, notBefore since: Int) -> Int? {
        let times = Array(cron.times.reversed())
        let first = Self.day(of: clock.wall(at: since) - Self.greatestJump)
        var day = Self.day(of: clock.wall(at: now) + Self.greatestJump)
        while day >= first {
            if cron.allows(day: day) {
                for time in times {
                    let instant = clock.instant(of: day * Self.day + time)
                    if instant <= now { return instant >= since ? instant : nil }
                }
            }
            day -= 1
        }
        return nil
    }

    /// The first due instant after `now`.
    func next(after now: Int) -> Int {
        var day = Self.day(of: clock.wall(at: now) - Self.greatestJump)
        while true {
            if cron.allows(day: day) {
                for time in cron.times {
                    let instant = clock.instant(of: day * Self.day + time)
                    if instant > now { return instant }
                }
            }
            day += 1
        }
    }

    /// The longest time between two due ones that follow each other within a year from now on, or between the next two if these
    /// are further apart; in seconds, by the clock on the wall.
    func greatestGap(from now: Int) -> Int {
        let times = cron.times
        var gap = zip(times, times.dropFirst()).reduce(0) { max($0, $1.1 - $1.0) }
        var day = Self.day(of: clock.wall(at: now))
        let end = day + 366
        var last: Int?
        // A second day comes, if only in eight years: `Cron` refuses what has none in 28.
        while true {
            if cron.allows(day: day) {
                if let last { gap = max(gap, (day - last) * Self.day + times[0] - times[times.count - 1]) }
                if day >= end, last != nil { return gap }
                last = day
            }
            day += 1
        }
    }

    private static func day(of wall: Int) -> Int { (wall >= 0 ? wall : wall - (day - 1)) / day }
}
