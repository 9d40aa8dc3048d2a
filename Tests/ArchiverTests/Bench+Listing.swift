import GoogleSimulator

@testable import Archiver

extension Bench {
    /// A library of small photos, a hundred on a page; of three pages unless said otherwise.
    static func library(_ quirks: Set<Quirk> = [], count: Int = 260) async throws -> Bench {
        try await Bench {
            $0.synthesis = SynthesisOptions(count: count, sizes: 5000...6000, videoPercent: 0)
            $0.quirks = quirks
        }
    }

    /// A scan that waits for a moment only before it asks again for what seemed empty or cut off.
    func quickScan() -> Scan {
        var scan = scan()
        scan.silence = .milliseconds(10)
        return scan
    }
}

extension FaultRule {
    /// Of listings: strikes these requests, counted from 1.
    static func listing(_ action: Action, nth: Int..., at: Double? = nil) -> FaultRule {
        var rule = FaultRule(on: "list,search", action)
        rule.nth = nth
        rule.at = at
        return rule
    }
}
