/// Damages inputs in the ways that parsers are known to fall for.
struct Mutator {
    let corpus: [[UInt8]]
    let words: [[UInt8]]

    /// Numbers and texts at the edge of what a type holds, and bytes that mean something else elsewhere.
    private static let extremes: [[UInt8]] =
        [
            "0", "-1", "-0", "1", "2147483648", "4294967296", "9223372036854775807", "-9223372036854775808",
            "9223372036854775808", "18446744073709551616", "1e308", "-1e308", "1e999", "0.1", "null", "true", "[]",
            "{}",
            "\"\"", "\"0\"", "\"\\u0000\"", "\"\\ud800\"", "\"9223372036854775807\"", "\"-9223372036854775808\"",
            "\"1e308\"", "\\", "\"", "\r\n", "\n", "\r\n\r\n", ":", "://", "@", "#", "?", "%00", "%0d%0a", "%", "..",
            "/",
            "\u{202E}", "\u{1B}[2J", "\u{FEFF}", "é", "x",
        ].map { Array($0.utf8) } + [[0], [0x7F], [0x80], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xFF], [0xFF, 0xFE]]

    /// One blow to the bytes, whatever they mean.
    func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        let place = Int.random(in: 0...bytes.count, using: &generator)
        let rest = bytes.count - place
        switch Int.random(in: 0..<9, using: &generator) {
        case 0 where rest > 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1 where rest > 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        case 2: bytes.removeSubrange(place..<place + Int.random(in: 0...min(rest, 30), using: &generator))
        case 3: bytes.insert(contentsOf: bytes[place..<place + min(rest, 60)], at: place)
        case 4 where Int.random(in: 0..<4, using: &generator) == 0: bytes.removeLast(rest)
        case 5: bytes.insert(contentsOf: word(&generator), at: place)
        case 6: replaceNumber(&bytes, from: place, &generator)
        case 7: splice(&bytes, at: place, &generator)
        case 8 where Int.random(in: 0..<40, using: &generator) == 0:
            let byte: UInt8 = [0x5B, 0x7B, 0x22, 0x20, 0x41].randomElement(using: &generator) ?? 0x5B
            bytes.insert(
                contentsOf: repeatElement(byte, count: Int.random(in: 60...20_000, using: &generator)),
                at: place
            )
        default: bytes.insert(contentsOf: extreme(&generator), at: place)
        }
    }

    /// One blow that leaves JSON what it was before: a value is exchanged, taken away or repeated.
    mutating func bendJSON(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        let values = JSONValues(bytes).ranges
        guard let place = values.randomElement(using: &generator) else { return mutate(&bytes, using: &generator) }
        switch Int.random(in: 0..<6, using: &generator) {
        case 0, 1: bytes.replaceSubrange(place, with: word(&generator, quoted: true))
        case 2: bytes.replaceSubrange(place, with: value(&generator))
        case 3: bytes.insert(contentsOf: [0x2C] + bytes[place], at: place.upperBound)
        case 4:
            let other = Array(bytes[values.randomElement(using: &generator) ?? place])
            bytes.replaceSubrange(place, with: other)
        default:
            let depth = Int.random(in: 1...80, using: &generator)
            let deep = Array(repeating: UInt8(0x5B), count: depth) + bytes[place] + Array(repeating: 0x5D, count: depth)
            bytes.replaceSubrange(place, with: deep)
        }
    }

    private func extreme(_ generator: inout SeededGenerator) -> [UInt8] {
        Self.extremes.randomElement(using: &generator) ?? []
    }

    private func value(_ generator: inout SeededGenerator) -> [UInt8] {
        Self.extremes.prefix { $0 != [0x5C] }.randomElement(using: &generator) ?? []
    }

    private func word(_ generator: inout SeededGenerator, quoted: Bool = false) -> [UInt8] {
        guard let word = words.randomElement(using: &generator) else {
            return quoted ? value(&generator) : extreme(&generator)
        }
        return quoted ? [0x22] + word + [0x22] : word
    }

    private func replaceNumber(_ bytes: inout [UInt8], from place: Int, _ generator: inout SeededGenerator) {
        guard let start = bytes[place...].firstIndex(where: { (0x30...0x39).contains($0) }) else { return }
        let end = bytes[start...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: extreme(&generator))
    }

    private func splice(_ bytes: inout [UInt8], at place: Int, _ generator: inout SeededGenerator) {
        guard let other = corpus.randomElement(using: &generator), !other.isEmpty else { return }
        let start = Int.random(in: 0..<other.count, using: &generator)
        bytes.replaceSubrange(place..., with: other[start...])
    }
}

/// Where values stand in what is JSON, or nearly.
struct JSONValues {
    private(set) var ranges: [Range<Int>] = []

    init(_ bytes: [UInt8]) {
        var open: [Int] = []
        var index = 0
        while index < bytes.count {
            let start = index
            switch bytes[index] {
            case 0x22:
                index += 1
                while index < bytes.count, bytes[index] != 0x22 { index += bytes[index] == 0x5C ? 2 : 1 }
                index = min(index + 1, bytes.count)
                // A name has a colon behind it.
                if index >= bytes.count || bytes[index] != 0x3A { ranges.append(start..<index) }
            case 0x5B, 0x7B:
                open.append(index)
                index += 1
            case 0x5D, 0x7D:
                index += 1
                if let first = open.popLast() { ranges.append(first..<index) }
            case 0x2D, 0x30...0x39, 0x61...0x7A:
                while index < bytes.count, ![0x2C, 0x5D, 0x7D, 0x20, 0x0A, 0x22].contains(bytes[index]) { index += 1 }
                ranges.append(start..<index)
            default: index += 1
            }
        }
    }
}
