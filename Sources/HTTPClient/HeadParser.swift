/// Collects the lines of an answer's head as libcurl hands them over, one at a time.
struct HeadParser {
    private var status = 0
    private var fields: [HTTPField] = []
    private var bytes = 0
    /// Whether the next line begins a head: elsewhere what looks like a status is a field, and a field without a name.
    private var isBetweenHeads = true
    /// The final head, from its empty line on.
    private(set) var head: HTTPHead?
    /// Whether the lines go beyond what is kept in memory for a head.
    private(set) var isTooLong = false

    /// Most bytes of all heads of one answer; Google's are below 4 KiB, libcurl itself stops at 300 KiB from 8.3 on.
    private static let limit = 256 << 10

    /// Takes one line, with its line break.
    mutating func consume(_ line: UnsafeRawBufferPointer) {
        bytes += line.count
        isTooLong = bytes > Self.limit
        // What comes after the final head are trailers.
        guard head == nil, !isTooLong else { return }
        // What a field must not have in it is blank, so that it ends nothing wherever the field is used (RFC 9110, 5.5).
        let bytes = unsafe line.prefix { $0 != 10 }.map { $0 == 0 || $0 == 13 ? 32 : $0 }
        let text = String(decoding: bytes, as: UTF8.self)[...].trimmingSpaces
        if text.isEmpty {
            // An informational head is not an answer: another head follows (RFC 9110, 15.2).
            isBetweenHeads = true
            if status >= 200 { head = HTTPHead(status: status, headers: fields) }
        } else if isBetweenHeads, text.hasPrefix("HTTP/") {
            let number = text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) } ?? 0
            status = (100...999).contains(number) ? number : 0
            fields = []
            isBetweenHeads = false
        } else if let colon = text.firstIndex(of: ":") {
            let name = text[..<colon].trimmingSpaces
            fields.append(HTTPField(String(name), String(text[text.index(after: colon)...].trimmingSpaces)))
        }
    }
}
