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
        let response = try await repeated(HTTPRequest("GET", "\(objectURL(name))?alt=media"), subject: subject)
        // Cloud Storage says with the bytes which generation they are, and their checksum (its clients read both:
        // google-resumable-media, _helpers.py). Why it refuses it says in plain text here, which tells no missing bucket from
        // a missing object: whatever is not just these bytes is asked for in JSON.
        if response.status == 200,
            let generation = response.head.header("X-Goog-Generation").flatMap(Int64.init),
            let sum = Self.checksum(response.head), sum == Self.checksum(of: response.body)
        {
            return (response.body, generation)
        }
        return try await readByGeneration(name, subject)
    }

    /// Where an answer leaves out what it is of, as emulators' do, or is none: looked up first, so that the bytes are known
    /// to be that generation's; a writer in between makes one more round.
    private func readByGeneration(_ name: String, _ subject: String) async throws -> (
        bytes: [UInt8], generation: Int64
    )? {
        for _ in 0..<5 {
            guard let object = try await head(name) else { return nil }
            let response = try await repeated(
                HTTPRequest("GET", "\(objectURL(name))?alt=media&generation=\(object.generation)"),
                subject: subject
            )
            switch response.status {
            case 200:
                guard Self.checksum(of: response.body) == object.crc32c else { continue }
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

    /// The crc32c of `X-Goog-Hash`, which is a field for each kind or one with a comma between them.
    private static func checksum(_ head: HTTPHead) -> UInt32? {
        let hashes = head.headers.filter { $0.name.lowercased() == "x-goog-hash" }.flatMap {
            $0.value.split(separator: ",")
        }
        for hash in hashes {
            let text = hash.drop { $0 == " " }
            if text.hasPrefix("crc32c=") { return CRC32C.value(base64: String(text.dropFirst(7))) }
        }
        return nil
    }

    private static func checksum(of bytes: [UInt8]) -> UInt32 {
        var sum = CRC32C()
        sum.consume(bytes.span.bytes)
        return sum.value
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
