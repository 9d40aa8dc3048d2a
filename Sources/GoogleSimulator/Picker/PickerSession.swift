/// One visit to the picker (Picker API reference: sessions).
struct PickerSession: Sendable {
    let id: String
    /// Counts sessions from 1; base URLs carry it.
    let number: UInt32
    let created: Timestamp
    /// When access to it and to what was picked ends.
    var expires: Timestamp
    /// What the request said; nil if nothing, which means `limit`.
    let maxItemCount: Int64?
    /// References of the items, once the person has pressed Done.
    var picked: [Int32]?

    /// 2,000, and more is the same as 2,000 (Picker API reference: PickingConfig).
    static let limit: Int64 = 2000

    /// Items that may be picked.
    var room: Int { Int(maxItemCount ?? Self.limit) }
    var isExpired: Bool { expires <= .now }
}

/// How the picker is set up.
struct PickerTimes: Sendable {
    /// Seconds between two questions, as the answers ask for.
    var pollInterval: Double = 5
    /// Seconds from the creation on in which asking makes sense.
    var timeout: Double = 1800
    /// Seconds from the creation on for which a session, and what was picked, can be used.
    var lifetime: Double = 7 * 86400
}

extension JSONValue {
    /// A span as Google's APIs write it: seconds with a fraction only if there is one, and `s`.
    static func span(_ seconds: Double) -> JSONValue {
        let milliseconds = Int64((max(0, seconds) * 1000).rounded())
        let whole = String(milliseconds / 1000)
        let rest = milliseconds % 1000
        if rest == 0 { return .string(whole + "s") }
        var digits = String(1000 + rest).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return .string("\(whole).\(digits)s")
    }
}
