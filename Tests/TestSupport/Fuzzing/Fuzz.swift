import Foundation
package import Testing

/// Damaged copies of real inputs for a parser, the same ones for the same seed.
///
/// Each run draws another seed and says it, on standard error, before the first round: a crash leaves it in the log.
/// `COLDROLL_FUZZ_SEED=NUMBER` repeats a run, `COLDROLL_FUZZ_FACTOR=NUMBER` makes so many times the rounds.
package struct Fuzz: Sendable {
    /// What the parser made of an input.
    package enum Verdict: Sendable { case accepted, refused }

    /// Of this process.
    package static let seed: UInt64 =
        number("COLDROLL_FUZZ_SEED") ?? UInt64.random(in: 1...999_999_999)

    private static let factor = Int(number("COLDROLL_FUZZ_FACTOR") ?? 1)

    private let corpus: [[UInt8]]
    private let words: [[UInt8]]
    private let isJSON: Bool

    /// - Parameters:
    ///   - corpus: real inputs, each of which must be accepted or refused without a fault as it stands.
    ///   - words: what is put into them beside extremes: names and values that the parser knows.
    ///   - isJSON: whether half of the blows respect the form of JSON, so that they reach what stands behind the reader.
    package init(_ corpus: [String], words: [String] = [], isJSON: Bool = false) {
        self.corpus = corpus.map { Array($0.utf8) }
        self.words = words.map { Array($0.utf8) }
        self.isJSON = isJSON
    }

    /// Calls `check` with one damaged input a round, and fails unless some were accepted and some refused.
    ///
    /// - Parameters:
    ///   - name: of what is read, for the line with the seed.
    ///   - rounds: how many, where nothing asks for more.
    ///   - least: how many in a hundred must be accepted; 0 where no damage can be.
    ///   - sourceLocation: where failures point.
    ///   - check: expects what must hold, and says what became of the input; a failure names seed and round by `comment`.
    /// - Throws: what `check` throws.
    package func run(
        _ name: String,
        rounds: Int,
        least: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation,
        check: (_ input: [UInt8], _ comment: Comment) async throws -> Verdict
    ) async throws {
        let seed = Self.seed
        let count = rounds * Self.factor
        FileHandle.standardError.write(Data("fuzz: \(name), \(count) rounds of COLDROLL_FUZZ_SEED=\(seed)\n".utf8))
        var accepted = 0
        for round in 0..<count {
            // The whole inputs first: what is real must reach the far end.
            let input = round < corpus.count ? corpus[round] : damaged(round, seed)
            let comment = Comment(rawValue: "\(name): COLDROLL_FUZZ_SEED=\(seed), round \(round)")
            if try await check(input, comment) == .accepted { accepted += 1 }
        }
        // A run in which nothing gets through, or everything, tests nothing.
        #expect(
            accepted > count * least / 100 && accepted < count,
            "\(name): \(accepted) of \(count) accepted",
            sourceLocation: sourceLocation
        )
    }

    private func damaged(_ round: Int, _ seed: UInt64) -> [UInt8] {
        // Each round by itself, so that one can be repeated without those before it.
        var generator = SeededGenerator(seed: seed &* 0x1_0000_0001 &+ UInt64(round))
        var mutator = Mutator(corpus: corpus, words: words)
        var bytes = corpus.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            if isJSON, Bool.random(using: &generator) {
                mutator.bendJSON(&bytes, using: &generator)
            } else {
                mutator.mutate(&bytes, using: &generator)
            }
        }
        return bytes
    }

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }
}
