/// What stands in a bucket under a name.
package struct StoredObject: Sendable, Equatable {
    /// As the store's callers name it: without the prefix of `gs://bucket/prefix`.
    package let name: String
    /// Grows with each write of the name; never 0, which stands for "absent" in preconditions.
    package let generation: Int64
    /// In bytes.
    package let size: Int64
    /// CRC-32C (Castagnoli) of the content.
    package let crc32c: UInt32
    /// Base64 as the bucket answered; nil for composite objects and directories.
    package let md5: String?
    /// nil where the store does not know it.
    package let contentType: String?
    /// Custom metadata: the identity lives here.
    ///
    /// Empty for what others put there.
    package let metadata: [String: String]
    /// All fields as they are.
    package init(
        name: String,
        generation: Int64,
        size: Int64,
        crc32c: UInt32,
        md5: String?,
        contentType: String?,
        metadata: [String: String]
    ) {
        self.name = name
        self.generation = generation
        self.size = size
        self.crc32c = crc32c
        self.md5 = md5
        self.contentType = contentType
        self.metadata = metadata
    }
}
