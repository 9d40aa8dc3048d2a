import JobQueue
import Logging
import Postgres

/// Makes a turn of every time that is due, one for all hosts, and one for several that nobody was there for.
struct ScheduleKeeper: Sendable {
    let ledger: Ledger
    let source: Int64
    let schedule: Schedule
    let logger: Logger
    var look = Duration.seconds(5)
    /// Rung to look at once, and by a stop.
    let bell: Bell
    /// Rung when there is a turn.
    let turns: Bell

    /// Goes on until a stop is asked for.
    func keep(_ stop: StopSignal) async {
        var trouble = Trouble("the schedule cannot be looked at", logger)
        var isKept = false
        var isForeign = false
        while !stop.isRequested {
            do throws(PostgresError) {
                if !isKept {
                    let isNew = try await ledger.keepSchedule(
                        source: source,
                        expression: schedule.expression,
                        zone: schedule.clock.name
                    )
                    isKept = true
                    let fields: [String: LogValue] = [
                        "schedule": .string(schedule.expression), "zone": .string(schedule.clock.name),
                    ]
                    if isNew { logger.log(.info, "the schedule begins", fields) }
                }
                let isOurs = try await passed()
                trouble.isOver()
                if !isOurs, !isForeign {
                    logger.log(.warning, "a process that was started later has another schedule: that one counts")
                }
                isForeign = !isOurs
            } catch {
                trouble.goesOn(error)
            }
            await bell.wait(look)
        }
    }

    /// Looks at the clock once; false if the ledger has another schedule.
    func passed() async throws(PostgresError) -> Bool {
        guard let kept = try await ledger.schedule(source: source), kept.expression == schedule.expression,
            kept.zone == schedule.clock.name
        else { return false }
        let now = Int(kept.now.rounded(.down))
        guard let due = schedule.last(notAfter: now, notBefore: Int(kept.since.rounded(.up))) else { return true }
        if let last = kept.lastDue, Int(last) >= due { return true }
        guard let made = try await ledger.makeDue(source: source, at: Int64(due)) else { return true }
        logger.log(
            .info,
            "a run is due",
            ["run": .integer(made.number), "joined": .boolean(made.joined), "late_seconds": .integer(Int64(now - due))]
        )
        turns.ring()
        return true
    }
}
