/// Where `serve` listens: an IPv4 address and a port.
struct ListenAddress: Sendable, Equatable {
    /// In dotted form.
    let host: String
    /// 0: any that is free.
    let port: UInt16

    static let standard = ListenAddress(host: "127.0.0.1", port: 8080)

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// nil unless the text is `HOST:PORT` with an IPv4 address or `localhost`.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = Self.number(parts[1]).flatMap(UInt16.init(exactly:)) else { return nil }
        if parts[0] == "localhost" {
            self.init(host: "127.0.0.1", port: port)
            return
        }
        let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(Self.number)
        guard bytes.count == 4, bytes.allSatisfy({ $0.map { $0 < 256 } ?? false }) else { return nil }
        self.init(host: String(parts[0]), port: port)
    }

    /// Where Cloud Run, which sets PORT, wants a server to listen; nil if that is no port.
    init?(cloudRunPort text: String) {
        guard let port = Self.number(text[...]).flatMap(UInt16.init(exactly:)), port > 0 else { return nil }
        self.init(host: "0.0.0.0", port: port)
    }

    /// As the end of a sentence.
    static func complaint(about text: String) -> String {
        "is '\(harmless(text))'; expected an IPv4 address and a port, such as 127.0.0.1:8080"
    }

    private static func number(_ text: Substring) -> Int? {
        let isPlain = text.utf8.allSatisfy { (48...57).contains($0) }
        return (1...5).contains(text.utf8.count) && isPlain ? Int(text) : nil
    }
}
