/// One row of an answer; columns by position, from 0.
///
/// What throws, throws `unexpectedAnswer`: the column is missing, null where it must not be, or of another type. That
/// is a mistake in the program or a foreign schema, not something to retry.
package struct Row: Sendable {
    private let answer: Answer
    private let index: Int32

    init(_ answer: Answer, _ index: Int32) {
        self.answer = answer
        self.index = index
    }

    /// How many columns the row has.
    package var count: Int { Int(answer.columnCount) }

    package func text(_ column: Int) throws(PostgresError) -> String {
        try required(column, "text", optionalText(column))
    }

    /// Nil is NULL; the column must exist.
    package func textOrNil(_ column: Int) -> String? {
        precondition(column >= 0 && column < count, "\(answer.statement) has no column \(column)")
        return read(column)
    }

    package func integer(_ column: Int) throws(PostgresError) -> Int64 {
        try required(column, "a whole number", integerOrNil(column))
    }

    package func integerOrNil(_ column: Int) throws(PostgresError) -> Int64? {
        try unsafe parsed(column, "a whole number") { unsafe Decimal.parse($0) }
    }

    package func double(_ column: Int) throws(PostgresError) -> Double {
        try required(column, "a number", doubleOrNil(column))
    }

    package func doubleOrNil(_ column: Int) throws(PostgresError) -> Double? {
        try unsafe parsed(column, "a number") { Double(unsafe String(decoding: $0, as: UTF8.self)) }
    }

    package func boolean(_ column: Int) throws(PostgresError) -> Bool {
        try required(column, "a boolean", booleanOrNil(column))
    }

    package func booleanOrNil(_ column: Int) throws(PostgresError) -> Bool? {
        try unsafe parsed(column, "a boolean") { bytes in
            guard bytes.count == 1 else { return nil }
            return switch unsafe bytes[0] {
            case UInt8(ascii: "t"): true
            case UInt8(ascii: "f"): false
            default: nil
            }
        }
    }

    /// A `bytea` value in the server's hex form, which is the default of `bytea_output`.
    package func bytes(_ column: Int) throws(PostgresError) -> [UInt8] {
        try required(column, "bytea", bytesOrNil(column))
    }

    package func bytesOrNil(_ column: Int) throws(PostgresError) -> [UInt8]? {
        try unsafe parsed(column, "bytea") { Hex.decodeBytea(unsafe String(decoding: $0, as: UTF8.self)) }
    }

    private func optionalText(_ column: Int) throws(PostgresError) -> String? {
        guard column >= 0, column < count else { throw mismatch("column \(column) is missing") }
        return read(column)
    }

    private func read(_ column: Int) -> String? {
        unsafe answer.withValue(index, Int32(column)) { bytes in
            unsafe bytes.map { unsafe String(decoding: $0, as: UTF8.self) }
        }
    }

    private func parsed<Value>(
        _ column: Int,
        _ kind: String,
        _ parse: (UnsafeRawBufferPointer) -> Value?
    ) throws(PostgresError) -> Value? {
        guard column >= 0, column < count else { throw mismatch("column \(column) is missing") }
        let value = unsafe answer.withValue(index, Int32(column)) { bytes -> Value?? in
            // Two levels: NULL is none, what cannot be read is a nil within.
            unsafe bytes.map { unsafe parse($0) }
        }
        guard let value else { return nil }
        guard let value else { throw mismatch("column \(column) is not \(kind)") }
        return value
    }

    private func required<Value>(_ column: Int, _ kind: String, _ value: Value?) throws(PostgresError) -> Value {
        guard let value else { throw mismatch("column \(column) is null where \(kind) is expected") }
        return value
    }

    private func mismatch(_ message: String) -> PostgresError {
        PostgresError(code: .unexpectedAnswer, message: message, statement: answer.statement)
    }
}

/// The server's text form of whole numbers: digits, and a minus before them.
enum Decimal {
    /// Read where it lies: a claim of a full batch has thousands of them.
    static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
        let isNegative = unsafe text.first == UInt8(ascii: "-"), start = isNegative ? 1 : 0
        guard text.count > start else { return nil }
        var value: Int64 = 0
        for position in start..<text.count {
            let digit = unsafe text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            // Downwards: the least number has no positive counterpart.
            let (tens, isTooLow) = value.multipliedReportingOverflow(by: 10)
            let (next, isLower) = tens.subtractingReportingOverflow(Int64(digit))
            guard !isTooLow, !isLower else { return nil }
            value = next
        }
        guard !isNegative else { return value }
        return value == .min ? nil : -value
    }
}

/// The hex form of `bytea`: `\x` and two digits a byte.
enum Hex {
    static func decodeBytea(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count >= 2, digits.count % 2 == 0, digits[0] == UInt8(ascii: "\\"), digits[1] == UInt8(ascii: "x")
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2 - 1)
        for position in stride(from: 2, to: digits.count, by: 2) {
            guard let high = nibble(digits[position]), let low = nibble(digits[position + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
