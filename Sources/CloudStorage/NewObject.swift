/// An object to create, once, never over another.
package struct NewObject: Sendable {
    /// 1 to 1024 bytes of UTF-8, `/` between folders.
    package var name: String
    /// A media type; anything that could not stand in a header is sent as `application/octet-stream`.
    package var contentType: String
    /// Custom metadata; Cloud Storage takes 8 KiB of keys and values in all.
    package var metadata: [String: String]
    /// Capture time, RFC 3339; nil, unreadable or before 1970 leaves customTime out.
    package var customTime: String?
    /// nil for the bucket's default; directories have none.
    package var storageClass: String?
    /// All fields as they are.
    package init(
        name: String,
        contentType: String,
        metadata: [String: String],
        customTime: String?,
        storageClass: String? = "ARCHIVE"
    ) {
        self.name = name
        self.contentType = contentType
        self.metadata = metadata
        self.customTime = customTime
        self.storageClass = storageClass
    }
}
