import Foundation

/// A libpq conninfo taken apart: what may stand on a command line, which every user of the machine can read, and the password.
struct Conninfo: Sendable, Equatable {
    /// The same conninfo without its password.
    let withoutPassword: String
    /// Decoded; nil if there was none.
    let password: String?

    /// Whether it holds the password of the user, or of the key of a client's certificate.
    var holdsSecret: Bool { password != nil || withoutPassword.contains("sslpassword=") }

    /// PostgreSQL docs, "Connection Strings": a URI, or `keyword = value` pairs.
    init(_ text: String) {
        if let scheme = text.range(of: "://") {
            self.init(uri: text, from: scheme.upperBound)
        } else {
            self.init(pairs: text)
        }
    }

    private init(uri text: String, from start: String.Index) {
        var rest = text[start...]
        var password: String?
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if let at = authority.firstIndex(of: "@") {
            let user = authority[..<at]
            if let colon = user.firstIndex(of: ":") {
                password = Self.percentDecoded(user[user.index(after: colon)...])
                rest = Substring(user[..<colon] + rest[at...])
            }
        }
        if let mark = rest.firstIndex(of: "?") {
            let parameters = rest[rest.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false)
            if let found = parameters.last(where: { $0.hasPrefix("password=") }) {
                password = Self.percentDecoded(found.dropFirst(9))
            }
            let kept = parameters.filter { !$0.hasPrefix("password=") }.joined(separator: "&")
            rest = Substring(rest[..<mark] + (kept.isEmpty ? "" : "?" + kept))
        }
        withoutPassword = String(text[..<start] + rest)
        self.password = password
    }

    private init(pairs text: String) {
        var kept: [String] = []
        var password: String?
        var rest = Array(text)[...]
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
                continue
            }
            let key = String(rest.prefix { $0 != "=" && !$0.isWhitespace })
            rest = rest.dropFirst(key.count).drop(while: \.isWhitespace)
            guard rest.first == "=" else {
                kept.append(key)
                continue
            }
            rest = rest.dropFirst().drop(while: \.isWhitespace)
            let (value, raw) = Self.value(&rest)
            if key == "password" { password = value } else { kept.append("\(key)=\(raw)") }
        }
        withoutPassword = kept.joined(separator: " ")
        self.password = password
    }

    /// One value, decoded and as it stood; `'…'` may hold spaces, a backslash takes the next character as it is.
    private static func value(_ rest: inout ArraySlice<Character>) -> (value: String, raw: String) {
        var value = ""
        var raw = ""
        let isQuoted = rest.first == "'"
        if isQuoted { raw.append(rest.removeFirst()) }
        while let next = rest.first, isQuoted || !next.isWhitespace {
            raw.append(rest.removeFirst())
            if isQuoted, next == "'" { break }
            if next == "\\", let escaped = rest.first {
                raw.append(rest.removeFirst())
                value.append(escaped)
            } else {
                value.append(next)
            }
        }
        return (value, raw)
    }

    private static func percentDecoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 37, rest.count >= 2, let hex = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(hex)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
