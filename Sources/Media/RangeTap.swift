/// Keeps the bytes of a few ranges of a file that flows by.
struct RangeTap {
    /// Most bytes kept; ranges that are larger in all are not kept.
    private static let most: UInt64 = 128 << 10

    private var ranges: [Range<UInt64>] = []
    /// What came of the ranges, in the order of the file.
    private(set) var bytes: [UInt8] = []
    private var total: UInt64 = 0

    /// Keeps nothing.
    init() {}

    /// Has everything already.
    init(whole: ArraySlice<UInt8>) {
        bytes = Array(whole.prefix(Int(Self.most)))
        total = UInt64(bytes.count)
    }

    /// - Parameters:
    ///   - ranges: absolute positions; kept only if they rise and begin at or after `position`.
    ///   - position: where the file is now.
    init(_ ranges: [Range<UInt64>], from position: UInt64) {
        var floor = position
        var total: UInt64 = 0
        for range in ranges {
            let length = range.upperBound - range.lowerBound
            guard range.lowerBound >= floor, length <= Self.most - total else { return }
            total += length
            floor = range.upperBound
        }
        self.ranges = ranges
        self.total = total
    }

    /// Whether all of something came.
    var isFull: Bool { total > 0 && UInt64(bytes.count) == total }

    /// Keeps what `piece`, which starts at `position` of the file, holds of the ranges.
    mutating func consume(_ piece: UnsafeRawBufferPointer, at position: UInt64) {
        let end = position &+ UInt64(piece.count)
        while let range = ranges.first, range.lowerBound < end {
            let low = max(range.lowerBound, position)
            let high = min(range.upperBound, end)
            if low < high { bytes.append(contentsOf: piece[Int(low - position)..<Int(high - position)]) }
            guard range.upperBound <= end else { return }
            ranges.removeFirst()
        }
    }
}
