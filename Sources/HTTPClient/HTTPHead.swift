import CCurl

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An answer's head.
package struct HTTPHead: Sendable {
    package let status: Int
    /// In the order of their arrival, without those of informational (1xx) heads and trailers.
    package let headers: [HTTPField]

    package init(status: Int, headers: [HTTPField]) {
        self.status = status
        self.headers = headers
    }

    /// First value of a field, by case-insensitive name.
    package func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }

    /// Nil if absent or not a number.
    package var contentLength: Int64? {
        header("Content-Length").flatMap(Self.wholeNumber)
    }

    /// Whether Transfer-Encoding was chunked.
    package var isChunked: Bool {
        let last = header("Transfer-Encoding")?.split(separator: ",").last
        return last.map { $0.trimmingSpaces.lowercased() == "chunked" } ?? false
    }

    /// `Retry-After` in seconds or as an HTTP date (relative to the answer's own `Date` header, else this machine's clock).
    ///
    /// From zero to a year, whatever the server asks; nil if absent or neither form (RFC 9110, 10.2.3).
    package var retryAfter: Duration? {
        guard let value = header("Retry-After") else { return nil }
        if let seconds = Self.wholeNumber(value) { return .seconds(min(seconds, Self.year)) }
        guard let then = Self.seconds(date: value) else { return nil }
        let now = header("Date").flatMap(Self.seconds(date:)) ?? Int64(time(nil))
        return .seconds(min(max(0, then - now), Self.year))
    }

    /// How far this machine's clock is ahead of the server's, by the `Date` header, to the second; nil without one.
    package var clockError: Duration? {
        header("Date").flatMap(Self.seconds(date:)).map { .seconds(Int64(time(nil)) - $0) }
    }

    private static let year: Int64 = 365 * 86_400

    private static func wholeNumber(_ text: String) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }

    /// Seconds since 1970 of an HTTP date in any of its three forms.
    private static func seconds(date: String) -> Int64? {
        let seconds = unsafe curl_getdate(date, nil)
        return seconds == -1 ? nil : Int64(seconds)
    }
}

/// An answer with its body in memory.
package struct HTTPResponse: Sendable {
    package let head: HTTPHead
    package let body: [UInt8]
    package var status: Int { head.status }

    package init(head: HTTPHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }
}

extension Substring {
    /// Without the spaces and tabs that RFC 9110 allows around a field's value, and the line's end.
    var trimmingSpaces: Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
        guard let last = lastIndex(where: { !isSpace($0) }) else { return "" }
        return self[...last].drop(while: isSpace)
    }
}
