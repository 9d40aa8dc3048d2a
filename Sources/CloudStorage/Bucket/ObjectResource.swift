import Checksums
import FoundationEssentials

/// An object as the JSON API writes it (Cloud Storage docs: "Objects" resource); numbers come as strings.
struct ObjectResource: Decodable {
    let name: String?
    let generation: Whole?
    let size: Whole?
    let crc32c: String?
    let md5Hash: String?
    let contentType: String?
    let metadata: [String: String]?

    /// What the answers to uploads and reads are asked to hold.
    static let fields = "name,generation,size,crc32c,md5Hash,contentType,metadata"

    /// A 64-bit number in a string, or a plain one.
    struct Whole: Decodable, Sendable, Equatable {
        let value: Int64

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                guard let number = Int64(text) else {
                    throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a whole number")
                }
                value = number
            } else {
                value = try container.decode(Int64.self)
            }
        }
    }

    /// nil if something that the API promises is missing.
    func stored(as name: String) -> StoredObject? {
        guard let generation, let size, size.value >= 0, let sum = crc32c.flatMap(CRC32C.value(base64:)) else {
            return nil
        }
        return StoredObject(
            name: name,
            generation: generation.value,
            size: size.value,
            crc32c: sum,
            md5: md5Hash,
            contentType: contentType,
            metadata: metadata ?? [:]
        )
    }
}

/// A page of a listing.
struct ObjectPage: Decodable {
    let items: [ObjectResource]?
    let nextPageToken: String?
}

/// What an insert says about the object.
struct InsertResource: Encodable {
    let name: String
    let contentType: String
    let metadata: [String: String]
    var customTime: String?
    var storageClass: String?
    /// Base64; the service refuses bytes that do not match (Cloud Storage docs: "Data validation and change detection").
    var crc32c: String?

    /// The body of an insert.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return [UInt8](try encoder.encode(self))
    }
}

/// The JSON API's error body.
struct ErrorResource: Decodable {
    struct Failure: Decodable {
        struct Item: Decodable { let reason: String? }
        let message: String?
        let errors: [Item]?
    }
    let error: Failure
}
