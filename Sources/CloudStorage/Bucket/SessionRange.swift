/// How an upload session counts (Cloud Storage docs: "Resumable uploads").
enum SessionRange {
    /// Requests but the last are at least this long, and best a multiple of it.
    static let unit: Int64 = 256 << 10

    /// Where the last request of a body of known length begins: after the most whole units that leave 1 byte or more.
    static func tailStart(of length: Int64) -> Int64 {
        length > 0 ? (length - 1) / unit * unit : 0
    }

    /// `Content-Range` of a request; `length` nil while it is unknown, an empty range once all is there.
    static func header(from start: Int64, to end: Int64, of length: Int64?) -> String {
        let total = length.map(String.init) ?? "*"
        return start == end ? "bytes */\(total)" : "bytes \(start)-\(end - 1)/\(total)"
    }

    /// Asks and never finalizes; with a length in place of the second star it could.
    static let query = "bytes */*"

    /// Bytes that a 308 says are persisted: none without a `Range`; nil if it cannot be understood.
    static func persisted(_ range: String?) -> Int64? {
        guard let range else { return 0 }
        guard range.hasPrefix("bytes=0-"), let last = Int64(range.dropFirst(8)), last >= 0, last < .max else {
            return nil
        }
        return last + 1
    }
}
