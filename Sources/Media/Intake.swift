/// Turns pieces of any size into "skip so many bytes, then give me so many whole".
struct Intake: Sendable {
    /// Bytes of the file that went by, held ones included.
    private(set) var position: UInt64 = 0
    /// The bytes asked for, as far as they came.
    private(set) var held: [UInt8] = []
    private var toSkip: UInt64 = 0
    private var wanted = 0

    /// Whether nothing of what was asked for last has come yet, and nothing is left to skip.
    var isAtStart: Bool { toSkip == 0 && held.isEmpty }

    /// Asks for `count` bytes after `skipped` others; the caller bounds `count`.
    mutating func want(_ count: Int, after skipped: UInt64 = 0) {
        held.removeAll(keepingCapacity: held.capacity <= 64 << 10)
        wanted = count
        toSkip = skipped
    }

    /// Takes from the front of `bytes` what is still missing; true once all that was asked for is in `held`.
    mutating func isSatisfied(by bytes: inout UnsafeRawBufferPointer) -> Bool {
        if toSkip > 0 {
            let skipped = Int(min(toSkip, UInt64(bytes.count)))
            toSkip -= UInt64(skipped)
            advance(&bytes, by: skipped)
            guard toSkip == 0 else { return false }
        }
        let missing = wanted - held.count
        guard missing > 0 else { return true }
        let taken = min(missing, bytes.count)
        if held.isEmpty { held.reserveCapacity(wanted) }
        held.append(contentsOf: bytes.prefix(taken))
        advance(&bytes, by: taken)
        return taken == missing
    }

    private mutating func advance(_ bytes: inout UnsafeRawBufferPointer, by count: Int) {
        position &+= UInt64(count)
        bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(count))
    }
}
