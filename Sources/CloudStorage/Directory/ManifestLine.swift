import Checksums
import FoundationEssentials

/// One object of a directory, as its manifest describes it: a line of JSON, its name first.
struct ManifestLine: Codable, Sendable, Equatable {
    var name: String
    var size: Int64
    /// Base64, as Cloud Storage writes it.
    var crc32c: String
    var generation: Int64
    /// The file's modification time.
    var modifiedSeconds: Int64
    var modifiedNanoseconds: Int
    var contentType: String
    var customTime: String?
    var metadata: [String: String]

    /// The line with its end.
    func encoded() throws(StorageError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let rest = try? encoder.encode(WithoutName(self)) else {
            throw StorageError(code: .rejected, message: "\(String(reflecting: name)) cannot be described in JSON.")
        }
        return Array("{\"name\":".utf8) + Self.quoted(name) + [UInt8(ascii: ",")] + rest.dropFirst() + [10]
    }

    /// The name as it stands in the line: the same bytes for the same name, always.
    static func quoted(_ name: String) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        // `try!` cannot fail because a String always has a JSON form.
        return [UInt8](try! encoder.encode(name))
    }

    /// The name's bytes in a line, without reading the rest; nil if it is torn or not ours.
    static func quotedName(in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let start = Array("{\"name\":\"".utf8)
        guard line.starts(with: start), line.last == UInt8(ascii: "}") else { return nil }
        var index = line.startIndex + start.count
        while index < line.endIndex {
            switch line[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "\""): return line[(line.startIndex + start.count - 1)...index]
            default: index += 1
            }
        }
        return nil
    }

    /// nil for a torn line: what it meant to say never happened.
    static func decoded(_ line: ArraySlice<UInt8>) -> ManifestLine? {
        try? JSONDecoder().decode(ManifestLine.self, from: Data(line))
    }

    var checksum: UInt32? { CRC32C.value(base64: crc32c) }

    /// The object it describes; nil if its checksum is no checksum.
    var stored: StoredObject? {
        checksum.map {
            StoredObject(
                name: name,
                generation: generation,
                size: size,
                crc32c: $0,
                md5: nil,
                contentType: contentType,
                metadata: metadata
            )
        }
    }

    private struct WithoutName: Encodable {
        let contentType: String
        let crc32c: String
        let customTime: String?
        let generation: Int64
        let metadata: [String: String]
        let modifiedNanoseconds: Int
        let modifiedSeconds: Int64
        let size: Int64

        init(_ line: ManifestLine) {
            contentType = line.contentType
            crc32c = line.crc32c
            customTime = line.customTime
            generation = line.generation
            metadata = line.metadata
            modifiedNanoseconds = line.modifiedNanoseconds
            modifiedSeconds = line.modifiedSeconds
            size = line.size
        }
    }
}
