import FoundationEssentials
package import GoogleAuth
package import HTTPClient

/// Opens `gs://bucket[/prefix]` or `file:///dir`.
///
/// Nothing is looked at yet: `check()` does that.
/// - Parameters:
///   - url: of the archive or the state store, as set by the owner.
///   - http: the process's event loop; unused for directories.
///   - tokens: unused for directories.
///   - endpoint: `https://storage.googleapis.com` or `STORAGE_EMULATOR_HOST` (with or without scheme, trailing slash).
/// - Returns: the store.
/// - Throws: `.noBucket` if the URL is neither form, or names no bucket that could exist.
package func openStore(
    _ url: String,
    http: HTTPClient,
    tokens: TokenSource,
    endpoint: String
) throws(StorageError) -> any ObjectStore {
    if url.hasPrefix("gs://") {
        let parts = url.dropFirst(5).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let bucket = String(parts[0])
        var prefix = parts.count > 1 ? String(parts[1]) : ""
        while prefix.hasSuffix("/") { prefix.removeLast() }
        guard isBucketName(bucket), !prefix.hasPrefix("/") else {
            throw StorageError(
                code: .noBucket,
                message: "\(url) does not name a bucket: wanted is gs://BUCKET or gs://BUCKET/PREFIX, in lower case."
            )
        }
        return GCSObjectStore(
            bucket: bucket,
            prefix: prefix.isEmpty ? "" : prefix + "/",
            endpoint: try StorageEndpoint(endpoint),
            http: http,
            tokens: tokens
        )
    }
    if let path = directoryPath(url) { return DirectoryObjectStore(root: path) }
    throw StorageError(
        code: .noBucket,
        message: "\(url) is not a place for objects: wanted is gs://BUCKET[/PREFIX] or file:///DIRECTORY."
    )
}

/// Cloud Storage docs, "Bucket names": 3 to 63 characters (222 with dots), lower case, digits, `-`, `_`, `.`.
private func isBucketName(_ name: String) -> Bool {
    (3...222).contains(name.utf8.count)
        && name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
}

/// The absolute path in a `file:` URL (RFC 8089), percent-decoded; nil if there is none.
private func directoryPath(_ url: String) -> String? {
    var path: Substring
    if url.hasPrefix("file://localhost/") {
        path = url.dropFirst("file://localhost".count)
    } else if url.hasPrefix("file:///") {
        path = url.dropFirst("file://".count)
    } else {
        return nil
    }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard let decoded = percentDecoded(path), !decoded.utf8.contains(0) else { return nil }
    return decoded
}
