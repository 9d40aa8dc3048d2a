import Foundation
import TestSupport
import Testing

/// Random commands against the real SQL and against a model in memory, in step.
///
/// The seed is in the name of the case: `COLDROLL_TEST_SEED=number` repeats it alone, `COLDROLL_TEST_STEPS` sets how long
/// it is. The last case of a normal run has a seed of its own each time.
@Suite(.migratedDatabase, .timeLimit(.minutes(10))) struct ModelTests {
    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }

    static let seeds: [UInt64] =
        setting("COLDROLL_TEST_SEED").map { [$0] } ?? [1, 2, 3, 4, .random(in: 5...999_999_999)]
    static let steps = setting("COLDROLL_TEST_STEPS") ?? 1000

    @Test(arguments: seeds)
    func `after every command each part is in exactly one place, the one that the model says`(_ seed: UInt64)
        async throws
    {
        var run = try await ModelRun(random: SeededGenerator(seed: seed))
        var step = 0
        // A command that never did anything tests nothing: the sequence goes on until each has, if chance is against one.
        while step < Self.steps || (!run.isThorough && step < 5 * Self.steps) {
            step += 1
            let command = try await run.step()
            let trouble = try await run.trouble()
            guard trouble.isEmpty else {
                Issue.record("step \(step), \(command): \(trouble.joined(separator: "; "))")
                return
            }
        }
        for command in ModelRun.Command.allCases {
            #expect(run.done[command, default: 0] > 0, "\(command) never took place")
        }
        #expect(run.struck > 10, "only \(run.struck) answers were lost")
    }
}

extension ModelRun {
    /// Whether each command did something, and enough answers were lost.
    fileprivate var isThorough: Bool {
        struck > 10 && Command.allCases.allSatisfy { done[$0, default: 0] > 0 }
    }
}
