import JobQueue
import Postgres
import TestSupport
import Testing

/// What people do, and services that are away.
extension ModelRun {
    mutating func person() async throws {
        guard let id = parts.keys.sorted().randomElement(using: &random), let part = parts[id] else { return }
        let expected: Part?
        let isDone: Bool
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            isDone = (try? await fixture.call("retry", id)) != nil
            expected =
                switch part.place {
                case .dead, .skipped: Part(lane: part.lane)
                case .scheduled: with(part, .ready)
                default: nil
                }
        case 1:
            isDone = (try? await fixture.texts("SELECT coldroll.skip($1, 'x')", [.integer(id)])) != nil
            expected =
                switch part.place {
                case .dead, .scheduled, .ready: with(part, .skipped)
                default: nil
                }
        case 2:
            isDone = (try? await fixture.call("accept", id)) != nil
            expected =
                switch part.place {
                case .dead: Part(lane: part.lane)
                case .scheduled, .ready: with(part, .ready)
                default: nil
                }
        default:
            let dead = parts.filter { $0.value.place == .dead }
            #expect(
                try await fixture.number("SELECT coldroll.retry_failed('killed its worker|x')") == Int64(dead.count)
            )
            for (id, part) in dead { parts[id] = Part(lane: part.lane) }
            return
        }
        #expect(isDone == (expected != nil))
        guard let expected else { return }
        parts[id] = expected
        count(.person)
    }

    private func with(_ part: Part, _ place: Place) -> Part {
        var part = part
        part.place = place
        return part
    }

    /// A person closes a lane, or opens one that is paused or parked.
    mutating func pause() async throws {
        guard let lane = try await anyLane() else { return }
        if closedLanes.contains(lane) {
            _ = try await fixture.call("resume", lane)
            closedLanes.remove(lane)
        } else {
            _ = try await fixture.call("pause", lane)
            closedLanes.insert(lane)
        }
        count(.pause)
    }

    /// A service is away: nobody claims from the lane until it opens again, by a person's hand or by time.
    mutating func park() async throws {
        guard let lane = try await anyLane() else { return }
        let source = fixture.source
        if closedLanes.contains(lane) {
            try await fixture.sql(
                """
                UPDATE coldroll.lane SET paused_at = NULL, paused_by = NULL,
                       parked_until = CASE WHEN parked_until IS NOT NULL THEN now() END
                WHERE id = $1
                """,
                [.integer(lane)]
            )
            closedLanes.remove(lane)
        } else {
            try await telling("SET parked_until") { queue in
                try await queue.park(source: source, lane: lane, for: .seconds(100_000), reason: "away")
            }
            closedLanes.insert(lane)
        }
        count(.park)
    }

    private mutating func anyLane() async throws -> Int64? {
        try await fixture.sql("SELECT id FROM coldroll.lane ORDER BY id").map { try $0.integer(0) }
            .randomElement(using: &random)
    }
}
