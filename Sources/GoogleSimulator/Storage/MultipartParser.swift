/// Takes a `multipart/related` body apart while it arrives: an object resource, then the bytes (Cloud Storage: JSON API multipart upload).
final class MultipartParser {
    /// What the bytes of the second part are given to, once the first part has been read.
    typealias Open = (_ resource: JSONValue, _ contentType: String?) throws -> ContentSink

    private enum Stage {
        case preamble
        case first
        case second
        case done
    }

    private static let headLimit = 1 << 20

    private let delimiter: [UInt8]
    private let open: Open
    private var stage = Stage.preamble
    private var held: [UInt8] = []
    private(set) var resource: JSONValue = .null
    private(set) var sink: ContentSink?

    /// Waits for the first part; `boundary` is as the request's Content-Type has it, without quotes.
    init(boundary: String, open: @escaping Open) {
        delimiter = Array("\r\n--\(boundary)".utf8)
        self.open = open
        // The first delimiter needs no line before it.
        held = [0x0D, 0x0A]
    }

    /// Reads the boundary of a Content-Type; nil if that is no multipart/related.
    static func boundary(contentType: String) -> String? {
        guard contentType.lowercased().hasPrefix("multipart/related") else { return nil }
        for part in contentType.split(separator: ";").dropFirst() {
            let trimmed = part.drop { $0 == " " }
            guard trimmed.lowercased().hasPrefix("boundary=") else { continue }
            let value = trimmed.dropFirst("boundary=".count).filter { $0 != "\"" && $0 != "'" }
            return value.isEmpty ? nil : String(value)
        }
        return nil
    }

    /// Takes the next bytes.
    func take(_ bytes: UnsafeRawBufferPointer) throws {
        if stage == .second, held.isEmpty {
            try unsafe pass(bytes)
            return
        }
        if stage == .done { return }
        unsafe held.append(contentsOf: bytes)
        try advance()
    }

    /// Whether both parts and the last delimiter have come.
    var isComplete: Bool { stage == .done }

    private func advance() throws {
        while true {
            switch stage {
            case .preamble:
                guard let end = position(of: delimiter, in: held, from: 0),
                    let line = position(of: [0x0D, 0x0A], in: held, from: end + delimiter.count)
                else { return try limit() }
                held.removeSubrange(0..<line + 2)
                stage = .first
            case .first:
                guard let end = position(of: delimiter, in: held, from: 0),
                    let line = position(of: [0x0D, 0x0A], in: held, from: end + delimiter.count),
                    let blank = position(of: [0x0D, 0x0A, 0x0D, 0x0A], in: held, from: line)
                else { return try limit() }
                try begin(first: Array(held[0..<end]), secondHead: Array(held[min(line + 2, blank)..<blank]))
                held.removeSubrange(0..<blank + 4)
                stage = .second
            case .second:
                let rest = held
                held = []
                return try unsafe rest.withUnsafeBytes { try unsafe pass($0) }
            case .done: return
            }
        }
    }

    private func limit() throws {
        if held.count > Self.headLimit { throw StorageRefusal.invalid("Multipart body without its two parts.") }
    }

    private func begin(first: [UInt8], secondHead: [UInt8]) throws {
        guard let blank = position(of: [0x0D, 0x0A, 0x0D, 0x0A], in: first, from: 0),
            let resource = JSONValue.parse(Array(first[(blank + 4)...])), resource.fields != nil
        else { throw StorageRefusal(status: 400, reason: "parseError", message: "Metadata part is not a JSON object.") }
        let head = String(decoding: secondHead, as: UTF8.self).split(whereSeparator: \.isNewline)
        let type = head.first { $0.lowercased().hasPrefix("content-type:") }
        self.resource = resource
        // rclone sends the media part without any header, and it works.
        let contentType = type.map { String($0.dropFirst("content-type:".count).drop { $0 == " " }) }
        sink = try open(resource, contentType)
    }

    /// Gives bytes of the second part on, but for what may be the start of the last delimiter.
    private func pass(_ bytes: UnsafeRawBufferPointer) throws {
        if let end = unsafe position(of: delimiter, in: bytes) {
            try unsafe sink?.append(UnsafeRawBufferPointer(rebasing: bytes[0..<end]))
            let after = end + delimiter.count
            if bytes.count < after + 2 {
                unsafe held = Array(bytes[end...])
                return
            }
            guard unsafe bytes[after] == UInt8(ascii: "-"), unsafe bytes[after + 1] == UInt8(ascii: "-") else {
                throw StorageRefusal.invalid("A multipart upload has exactly two parts.")
            }
            stage = .done
            return
        }
        var keep = min(delimiter.count + 1, bytes.count)
        // Only what begins like a delimiter is held back.
        while keep > 0, unsafe !bytes.suffix(keep).elementsEqual(delimiter.prefix(keep)) { keep -= 1 }
        try unsafe sink?.append(UnsafeRawBufferPointer(rebasing: bytes[0..<bytes.count - keep]))
        unsafe held = Array(bytes.suffix(keep))
    }
}
