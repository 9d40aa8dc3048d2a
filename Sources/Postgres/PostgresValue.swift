/// A value to bind, encoded once; see the static members.
///
/// Single values travel as text without a type, so that the server takes the type from the SQL around `$1`. Arrays of
/// all kinds travel in PostgreSQL's binary array format with their type declared (`bigint[]`, `float8[]`, `boolean[]`,
/// `text[]`), which the server reads in half the time; a cast such as `$1::int[]` then converts at the server.
///
/// PostgreSQL's text cannot hold a NUL character: each one is replaced by U+FFFD, in `text` and in `texts`, so that a
/// strange file name neither fails its statement nor vanishes. JSON text that spells it `\u0000` is not touched, and
/// `jsonb` refuses that.
package struct PostgresValue: Sendable {
    /// Bytes as libpq takes them, ending with a zero byte where they are text; nil is NULL.
    let encoded: [UInt8]?
    /// OID of the declared type, zero where the server infers it.
    let type: UInt32
    let isBinary: Bool

    /// NULL of any type.
    package static let null = PostgresValue(encoded: nil, type: 0, isBinary: false)

    /// Text, or anything that has a text form: name its type in the SQL (`$1::timestamptz`, `$2::jsonb`).
    package static func text(_ value: String?) -> PostgresValue {
        guard let value else { return .null }
        var bytes = Array(value.utf8.withoutNUL)
        bytes.append(0)
        return PostgresValue(encoded: bytes, type: 0, isBinary: false)
    }

    /// A whole number of whatever integer type the SQL has there.
    package static func integer(_ value: Int64?) -> PostgresValue {
        text(value.map { String($0) })
    }

    /// `float8`; NaN and the infinities included.
    package static func double(_ value: Double?) -> PostgresValue {
        text(value.map(\.description))
    }

    /// `boolean`.
    package static func boolean(_ value: Bool?) -> PostgresValue {
        text(value.map { $0 ? "t" : "f" })
    }

    /// `bytea`.
    package static func bytes(_ value: [UInt8]?) -> PostgresValue {
        guard let value else { return .null }
        return PostgresValue(encoded: value, type: TypeOID.bytea, isBinary: true)
    }

    /// `bigint[]`; casts to `int[]` and `smallint[]` in SQL convert it, and refuse what does not fit.
    package static func integers(_ values: [Int64?]) -> PostgresValue {
        let encoded = BinaryArray.encode(values, element: TypeOID.int8) { $1.append(bigEndian: UInt64(bitPattern: $0)) }
        return PostgresValue(encoded: encoded, type: TypeOID.int8Array, isBinary: true)
    }

    /// `text[]`; a cast to another array that the SQL names (`$1::timestamptz[]`, `$2::jsonb[]`) converts it.
    package static func texts(_ values: [String?]) -> PostgresValue {
        PostgresValue(encoded: BinaryArray.encode(texts: values), type: TypeOID.textArray, isBinary: true)
    }

    /// `float8[]`.
    package static func doubles(_ values: [Double?]) -> PostgresValue {
        let encoded = BinaryArray.encode(values, element: TypeOID.float8) { $1.append(bigEndian: $0.bitPattern) }
        return PostgresValue(encoded: encoded, type: TypeOID.float8Array, isBinary: true)
    }

    /// `boolean[]`.
    package static func booleans(_ values: [Bool?]) -> PostgresValue {
        let encoded = BinaryArray.encode(values, element: TypeOID.bool) { $1.append($0 ? 1 : 0) }
        return PostgresValue(encoded: encoded, type: TypeOID.boolArray, isBinary: true)
    }
}

/// Fixed OIDs of built-in types, from PostgreSQL's `pg_type.dat`.
enum TypeOID {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let text: UInt32 = 25
    static let float8: UInt32 = 701
    static let boolArray: UInt32 = 1000
    static let textArray: UInt32 = 1009
    static let int8Array: UInt32 = 1016
    static let float8Array: UInt32 = 1022
}

extension String.UTF8View {
    /// The same bytes with U+FFFD in place of every NUL.
    var withoutNUL: [UInt8] {
        guard contains(0) else { return Array(self) }
        return flatMap { $0 == 0 ? [0xEF, 0xBF, 0xBD] : [$0] }
    }
}
