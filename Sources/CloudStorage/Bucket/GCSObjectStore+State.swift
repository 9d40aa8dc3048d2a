import Checksums
import FoundationEssentials
import HTTPClient

/// The state store's small objects, which change.
extension GCSObjectStore {
    /// Marks each write, so that a lost answer can be told from somebody else's write.
    private static let writeMark = "coldroll-write"

    func read(_ name: String) async throws -> (bytes: [UInt8], generation: Int64)? {
        try checkName(name)
        let subject = "Reading \(quoted(name))"
        // Looked up first, so that the bytes are known to be that generation's; a writer in between makes one more round.
        for _ in 0..<5 {
            guard let object = try await head(name) else { return nil }
            let response = try await repeated(
                HTTPRequest("GET", "\(objectURL(name))?alt=media&generation=\(object.generation)"),
                subject: subject
            )
            switch response.status {
            case 200:
                var sum = CRC32C()
                sum.consume(response.body.span.bytes)
                guard sum.value == object.crc32c else { continue }
                return (response.body, object.generation)
            case 404 where !Refusal(response).isMissingBucket: continue
            default: throw Refusal(response).error(.get, subject, bucket: bucket)
            }
        }
        throw StorageError(
            code: .unavailable(retryAfter: nil),
            message: "\(subject): it changes faster than it can be read."
        )
    }

    func replace(
        _ name: String,
        with bytes: [UInt8],
        contentType: String,
        ifGeneration generation: Int64?
    ) async throws -> Bool {
        try checkName(name)
        let subject = "Writing \(quoted(name))"
        let buffer = BodyBuffer(ended: bytes)
        let mark = UUID().uuidString
        var resource = insertResource(
            NewObject(
                name: name,
                contentType: contentType,
                metadata: [Self.writeMark: mark],
                customTime: nil,
                storageClass: nil
            )
        )
        resource.crc32c = buffer.crc32c.base64
        var url = insertURL(name, type: "multipart")
        if let generation { url += "&ifGenerationMatch=\(generation)" }
        let response = try await repeated(try multipart(resource, url: url, buffer), subject: subject)
        switch response.status {
        case 200, 201:
            _ = try created(response, name: name, from: buffer)
            return true
        case 412:
            // Our own earlier try may have made the generation move on, its answer lost.
            return try await head(name)?.metadata[Self.writeMark] == mark
        default:
            let refusal = Refusal(response)
            if refusal.isChecksum { throw mismatch(subject) }
            throw refusal.error(.replace, subject, bucket: bucket)
        }
    }
}
