/// An object as it stands in a bucket.
package struct StoredObject: Sendable, Equatable {
    package let bucket: String
    package let name: String
    package let generation: Int64
    package let size: Int64
    package let crc32c: UInt32
    package let contentType: String?
    package let storageClass: String
    /// RFC 3339 as it was given.
    package let customTime: String?
    package let metadata: [String: String]
    /// The file with its bytes; nil if only hashes are kept.
    package let path: String?

    init(_ object: ObjectRecord, _ store: BucketStore) {
        bucket = object.bucket
        name = object.name.text
        generation = object.generation
        size = object.size
        crc32c = object.crc32c
        contentType = object.settings.contentType
        storageClass = object.settings.storageClass
        customTime = object.settings.customTime
        let pairs = object.settings.metadata.map { ($0.name, $0.value.text ?? "") }
        metadata = Dictionary(pairs, uniquingKeysWith: { _, last in last })
        path = object.file.map { store.shelf.absolute($0) }
    }
}
