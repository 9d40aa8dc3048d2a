/// One object that stands in a bucket.
struct ObjectRecord: Sendable {
    let bucket: String
    let name: ObjectName
    let generation: Int64
    let size: Int64
    let crc32c: UInt32
    /// Nil if the simulator runs without MD5.
    let md5: [UInt8]?
    let created: Timestamp
    let settings: ObjectSettings
    /// Where the bytes are; nil if only their hashes are kept.
    let file: String?
    /// The bytes of a small object that has no file.
    var bytes: [UInt8]?
}

/// What an insert may say about its object.
struct ObjectSettings: Sendable, Equatable {
    var contentType: String?
    var storageClass: String
    var customTime: String?
    var metadata: [JSONValue.Member]
    /// Headers that are kept and given back as they came.
    var kept: [JSONValue.Member]
    /// Checksums that the bytes must have.
    var crc32c: String?
    var md5Hash: String?

    private static let keptNames = [
        "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "eventBasedHold", "temporaryHold",
        "retention",
    ]
    static let classes: Set = [
        "STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL", "DURABLE_REDUCED_AVAILABILITY",
    ]

    /// Reads an object resource (JSON API reference: objects).
    init(resource: JSONValue, defaultClass: String, contentType: String?) throws(StorageRefusal) {
        self.contentType = resource["contentType"]?.text ?? contentType
        storageClass = resource["storageClass"]?.text ?? defaultClass
        guard Self.classes.contains(storageClass) else { throw .invalid("Invalid argument: storageClass.") }
        customTime = resource["customTime"]?.text
        if let customTime, Timestamp(customTime) == nil { throw .invalid("Invalid value for customTime.") }
        metadata = resource["metadata"]?.fields ?? []
        for field in metadata where field.value.text == nil {
            throw .invalid("Invalid value for metadata key \(field.name): a string is expected.")
        }
        let size = metadata.reduce(0) { $0 + $1.name.utf8.count + ($1.value.text ?? "").utf8.count }
        // Cloud Storage: 8 KiB for all custom keys and values of an object.
        guard size <= 8192 else { throw .invalid("The metadata for this object is too large.") }
        kept = (resource.fields ?? []).filter { Self.keptNames.contains($0.name) }
        crc32c = resource["crc32c"]?.text
        md5Hash = resource["md5Hash"]?.text
    }
}

extension ObjectRecord {
    /// The object resource (JSON API reference: objects); `kept` is until when its bucket's policy keeps it.
    func resource(origin: String, kept: Timestamp? = nil) -> JSONValue {
        let place = origin + "/storage/v1/b/\(bucket)/o/\(percentEncoded(name.text))"
        let media = origin + "/download/storage/v1/b/\(bucket)/o/\(percentEncoded(name.text))"
        let head = JSONValue.members(
            ("kind", .string("storage#object")),
            ("id", .string("\(bucket)/\(name.text)/\(generation)")),
            ("selfLink", .string(place)),
            ("mediaLink", .string("\(media)?generation=\(generation)&alt=media")),
            ("name", .string(name.text)),
            ("bucket", .string(bucket)),
            ("generation", .string(String(generation))),
            ("metageneration", .string("1")),
            ("contentType", settings.contentType.map { .string($0) }),
            ("storageClass", .string(settings.storageClass)),
            ("size", .string(String(size))),
            ("md5Hash", md5.map { .string(base64($0)) }),
            ("crc32c", .string(base64(crc32c.bigEndianBytes))),
            ("etag", .string(base64(generation.bigEndianBytes))),
            ("timeCreated", .string(created.rfc3339)),
            ("updated", .string(created.rfc3339)),
            ("timeStorageClassUpdated", .string(created.rfc3339)),
            ("timeFinalized", .string(created.rfc3339)),
            ("customTime", settings.customTime.map { .string($0) }),
            ("retentionExpirationTime", kept.map { .time($0) }),
            ("metadata", settings.metadata.isEmpty ? nil : .object(settings.metadata))
        )
        return .object((head.fields ?? []) + settings.kept)
    }

    /// What is kept of it in the index, so that a later start finds it again.
    var indexLine: JSONValue {
        let resource = resource(origin: "")
        return .object(
            (resource.fields ?? []).filter { !["selfLink", "mediaLink", "kind"].contains($0.name) }
                + [JSONValue.Member(name: "file", value: file.map { .string($0) } ?? .null)]
        )
    }
}
