/// One page of a listing (JSON API reference: objects.list).
struct ObjectPage {
    private var objects: [ObjectRecord] = []
    private var prefixes: [String] = []
    private var nextToken: String?

    init(bucket: String, query: QueryFields, store: BucketStore) throws(StorageRefusal) {
        guard let limit = query["maxResults"].map({ Int($0) }) ?? 1000, limit > 0 else {
            throw .invalid("Invalid value for maxResults.")
        }
        let most = min(limit, 1000)
        let prefix = Array((query["prefix"] ?? "").utf8)
        let delimiter = Array((query["delimiter"] ?? "").utf8)
        let end = query["endOffset"].map(ObjectName.init)
        var start = max(ObjectName(query["startOffset"] ?? ""), ObjectName(query["prefix"] ?? ""))
        if let token = query["pageToken"], !token.isEmpty {
            guard let name = Self.read(token) else { throw .invalid("Invalid page token.") }
            start = max(start, name)
        }
        var lastPrefix: [UInt8]?
        try store.visit(bucket: bucket, from: start) { object in
            if let end, object.name >= end { return false }
            guard object.name.hasPrefix(prefix) else { return object.name.bytes.lexicographicallyPrecedes(prefix) }
            if let lastPrefix, object.name.hasPrefix(lastPrefix) { return true }
            if objects.count + prefixes.count >= most {
                nextToken = base64URL(Array("n".utf8) + object.name.bytes)
                return false
            }
            if !delimiter.isEmpty, let cut = position(of: delimiter, in: object.name.bytes, from: prefix.count) {
                let folder = Array(object.name.bytes[0..<cut + delimiter.count])
                lastPrefix = folder
                prefixes.append(String(decoding: folder, as: UTF8.self))
            } else {
                objects.append(object)
            }
            return true
        }
    }

    private static func read(_ token: String) -> ObjectName? {
        guard let bytes = bytes(base64URL: token), bytes.first == UInt8(ascii: "n") else { return nil }
        return String(validating: bytes.dropFirst(), as: UTF8.self).map(ObjectName.init)
    }

    /// `kept` is until when the bucket's policy keeps an object.
    func value(origin: String, kept: (ObjectRecord) -> Timestamp?) -> JSONValue {
        .members(
            ("kind", .string("storage#objects")),
            ("nextPageToken", nextToken.map { .string($0) }),
            ("prefixes", prefixes.isEmpty ? nil : .array(prefixes.map { .string($0) })),
            ("items", objects.isEmpty ? nil : .array(objects.map { $0.resource(origin: origin, kept: kept($0)) }))
        )
    }
}
