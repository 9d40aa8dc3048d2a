/// An absolute http or https address, read so strictly that no two parsers could see different hosts in it.
struct WebAddress: Equatable {
    let scheme: String
    /// In lower case; an IPv6 address with its brackets.
    let host: String
    let port: Int
    /// From the first slash on, query included, percent-encoded; no fragment.
    let path: String

    /// Nil for anything but `http(s)://host[:port][/path]`; user names, spaces and backslashes in the authority are not taken.
    init?(_ text: String) {
        guard let separator = text.firstRange(of: "://") else { return nil }
        scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = text[separator.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let (host, port) = Self.authority(authority, default: scheme == "https" ? 443 : 80) else { return nil }
        self.host = host
        self.port = port
        let path = rest[authority.endIndex...]
        self.path = Self.printable(path.hasPrefix("/") ? path : "/" + path)
    }

    /// Where a `Location` field of an answer from here points (RFC 3986, section 5.2, without dot segments).
    func resolving(_ location: String) -> WebAddress? {
        if location.hasPrefix("//") { return WebAddress("\(scheme):\(location)") }
        if location.firstRange(of: "://") != nil, let absolute = WebAddress(location) { return absolute }
        if location.hasPrefix("/") { return WebAddress(origin + location) }
        let isOtherScheme = location.prefix { $0 != "/" && $0 != "?" && $0 != "#" }.contains(":")
        guard !isOtherScheme, !location.isEmpty else { return nil }
        let bare = path.prefix { $0 != "?" }
        if location.hasPrefix("?") { return WebAddress(origin + bare + location) }
        let folder = bare.lastIndex(of: "/").map { bare[...$0] } ?? "/"
        return WebAddress(origin + folder + location)
    }

    /// Without the port that its scheme has anyway.
    var origin: String {
        port == (scheme == "https" ? 443 : 80) ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)"
    }
    var url: String { origin + path }

    var isPlainHTTPS: Bool { scheme == "https" && port == 443 }

    func isSameOrigin(as other: WebAddress) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// Whether the host is this machine itself, by its name or number.
    var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        return numbers.count == 4 && numbers[0] == 127 && numbers.allSatisfy { (0...255).contains($0 ?? -1) }
    }

    private static func authority(_ text: Substring, default port: Int) -> (String, Int)? {
        let bytes = Array(text.utf8)
        let isNumeric = bytes.first == UInt8(ascii: "[")
        let hostEnd: Int
        if isNumeric {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")), close > 1 else { return nil }
            hostEnd = close + 1
        } else {
            hostEnd = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
        }
        let host = bytes[..<hostEnd]
        let inner = isNumeric ? host.dropFirst().dropLast() : host
        let isPlain = inner.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
            case UInt8(ascii: "g")...UInt8(ascii: "z"), UInt8(ascii: "G")...UInt8(ascii: "Z"): !isNumeric
            case UInt8(ascii: "-"): !isNumeric
            case UInt8(ascii: "."): true
            case UInt8(ascii: ":"): isNumeric
            default: false
            }
        }
        guard isPlain, !inner.isEmpty, inner.first != UInt8(ascii: "."), inner.last != UInt8(ascii: ".") else {
            return nil
        }
        let name = String(decoding: host, as: UTF8.self).lowercased()
        let after = bytes[hostEnd...]
        guard !after.isEmpty else { return (name, port) }
        let digits = after.dropFirst()
        guard after.first == UInt8(ascii: ":"), (1...5).contains(digits.count),
            digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(String(decoding: digits, as: UTF8.self)), (1...65_535).contains(number)
        else { return nil }
        return (name, number)
    }

    /// Percent-encodes what may not stand in a URL as it is.
    private static func printable(_ path: some StringProtocol) -> String {
        var printable = ""
        for byte in path.utf8 {
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "\\") {
                printable.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                printable += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return printable
    }
}
