import Synchronization

/// The rules in force and what they have struck; which request is struck depends on the seed and on counts only.
final class FaultBook: Sendable {
    private struct Entry {
        let rule: FaultRule
        var seen = 0
        var struck = 0
    }

    private struct State {
        var entries: [Entry] = []
        var since = ContinuousClock.now
    }

    private let seed: UInt64
    private let state = Mutex(State())

    init(seed: UInt64) { self.seed = seed }

    /// Replaces all rules; their counts start anew.
    func replace(_ rules: [FaultRule]) {
        state.withLock { $0 = State(entries: rules.map { Entry(rule: $0) }) }
    }

    /// The rules that strike this request, in their order.
    func strike(operation: String, subjects: [String]) -> Strikes {
        state.withLock { state in
            guard !state.entries.isEmpty else { return Strikes() }
            let age = (ContinuousClock.now - state.since) / .seconds(1)
            var strikes = Strikes()
            for index in state.entries.indices {
                let rule = state.entries[index].rule
                guard rule.concerns(operation: operation, subjects: subjects) else { continue }
                if let limit = rule.forSeconds, age > limit { continue }
                state.entries[index].seen += 1
                let seen = state.entries[index].seen - rule.after
                guard seen > 0 else { continue }
                if let times = rule.times, state.entries[index].struck >= times { continue }
                if !rule.nth.isEmpty, !rule.nth.contains(seen) { continue }
                if let rate = rule.rate, !falls(rate: rate, rule: index, seen: seen) { continue }
                state.entries[index].struck += 1
                strikes.rules.append(rule)
            }
            return strikes
        }
    }

    private func falls(rate: Double, rule: Int, seen: Int) -> Bool {
        let bits = mixed(seed &+ mixed(UInt64(rule) << 40 | UInt64(seen)))
        return Double(bits >> 11) * 0x1p-53 < rate
    }

    /// How often each rule has struck, in their order, as the counters tell it.
    var report: [(rule: FaultRule, struck: Int)] {
        state.withLock { state in state.entries.map { ($0.rule, $0.struck) } }
    }

    /// Counts strikes from zero, without changing which request is struck next.
    func resetCounts() {
        state.withLock { state in
            for index in state.entries.indices where state.entries[index].rule.times == nil {
                state.entries[index].struck = 0
            }
        }
    }
}

/// The rules that strike one request.
struct Strikes: Sendable {
    var rules: [FaultRule] = []

    /// The first rule with this action.
    func first(_ action: FaultRule.Action) -> FaultRule? { rules.first { $0.action == action } }

    /// Whether a rule has this action.
    func has(_ action: FaultRule.Action) -> Bool { first(action) != nil }

    /// All latencies together.
    var latencySeconds: Double {
        rules.filter { $0.action == .latency }.reduce(0) { $0 + $1.milliseconds / 1000 }
    }
}
