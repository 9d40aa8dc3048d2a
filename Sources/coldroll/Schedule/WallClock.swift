import Foundation

/// What clocks on the wall show in one time zone.
///
/// A wall time is counted like seconds since 1970, as if the zone were UTC.
struct WallClock: Sendable, Equatable {
    /// Name of the zone.
    let name: String
    private let zone: TimeZone

    static let complaint =
        "TZ is no time zone that is known here; expected a name such as Europe/Helsinki, or nothing for UTC"

    /// As TZ names zones, nothing for UTC; nil for a zone that is not known, and for rules such as `EET-2EEST`.
    init?(_ variable: String?) {
        var name = variable ?? ""
        if name.hasPrefix(":") { name.removeFirst() }
        if name.isEmpty { name = "UTC" }
        // Foundation takes GMT+3 too, whose sign tzset(3) reads the other way round.
        guard name.contains("/") || !name.contains(where: { "+-".contains($0) }), let zone = TimeZone(identifier: name)
        else { return nil }
        self.name = name
        self.zone = zone
    }

    /// What the clock shows.
    func wall(at instant: Int) -> Int { instant + offset(at: instant) }

    /// When the clock shows this time: the first time if it does so twice, the next instant that there is if it never does.
    func instant(of wall: Int) -> Int {
        let (early, late) = (offset(at: wall - 86_400), offset(at: wall + 86_400))
        let fits = [wall - max(early, late), wall - min(early, late)].filter { self.wall(at: $0) == wall }
        if let first = fits.first { return first }
        // The clock was put forward over it: the first instant with the other offset.
        var (before, after) = (wall - max(early, late) - 1, wall - min(early, late) + 1)
        let old = offset(at: before)
        guard offset(at: after) != old else { return wall - old }
        while after - before > 1 {
            let middle = (before + after) / 2
            if offset(at: middle) == old { before = middle } else { after = middle }
        }
        return after
    }

    private func offset(at instant: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
    }
}
