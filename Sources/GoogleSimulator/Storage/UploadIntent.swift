/// What an upload is going to make, and on which conditions.
struct UploadIntent: Sendable {
    let bucket: String
    let name: ObjectName
    let settings: ObjectSettings
    let conditions: Preconditions
    /// `fields` of the request; which members the answer has.
    let fields: String?
    /// Scheme and host of the addresses in the answer.
    let origin: String

    /// - Throws: `StorageRefusal` for names, classes, metadata and conditions that Cloud Storage refuses.
    init(
        bucket: String,
        call: Call,
        resource: JSONValue,
        contentType: String?,
        store: BucketStore
    ) throws(StorageRefusal) {
        guard let held = store.bucket(bucket) else { throw .noBucket() }
        if let other = resource["bucket"]?.text, other != bucket {
            throw .invalid("Value '\(other)' in content does not agree with value '\(bucket)'.")
        }
        guard let text = call.query["name"] ?? resource["name"]?.text else {
            throw StorageRefusal(status: 400, reason: "required", message: "Required")
        }
        name = ObjectName(text)
        try name.validate()
        if held.isUniform, call.query["predefinedAcl"] != nil || resource["acl"] != nil {
            throw .invalid("Cannot use ACL API to set object policy when uniform bucket-level access is enabled.")
        }
        self.bucket = bucket
        var settings = try ObjectSettings(resource: resource, defaultClass: held.defaultClass, contentType: contentType)
        // Every object of a bucket with Autoclass begins as STANDARD, whatever was asked.
        if held.hasAutoclass { settings.storageClass = "STANDARD" }
        self.settings = settings
        conditions = try Preconditions(call.query)
        origin = call.origin
        fields = call.query["fields"]
    }
}

/// The checksums that a request claims for the whole object.
struct ClaimedHashes: Sendable {
    private var crc32c: String?
    private var md5: String?

    /// `header` is `X-Goog-Hash`: `crc32c=…,md5=…`.
    init(settings: ObjectSettings, header: String?) {
        crc32c = settings.crc32c
        md5 = settings.md5Hash
        for part in (header ?? "").split(separator: ",") {
            let trimmed = part.drop { $0 == " " }
            if trimmed.hasPrefix("crc32c=") { headerCRC = String(trimmed.dropFirst(7)) }
            if trimmed.hasPrefix("md5=") { headerMD5 = String(trimmed.dropFirst(4)) }
        }
    }

    private var headerCRC: String?
    private var headerMD5: String?

    /// Refuses bytes that are others than claimed (python-storage issue 1541 has the words).
    func check(crc: UInt32, md5 actual: [UInt8]?) throws(StorageRefusal) {
        let calculated = base64(crc.bigEndianBytes)
        for claimed in [crc32c, headerCRC].compactMap({ $0 }) where claimed != calculated {
            throw .invalid("Provided CRC32C \"\(claimed)\" doesn't match calculated CRC32C \"\(calculated)\".")
        }
        guard let actual else { return }
        let hash = base64(actual)
        for claimed in [md5, headerMD5].compactMap({ $0 }) where claimed != hash {
            throw .invalid("Provided MD5 hash \"\(claimed)\" doesn't match calculated MD5 hash \"\(hash)\".")
        }
    }
}
