import Checksums
import FoundationEssentials
import GoogleAuth
import HTTPClient

/// A bucket of Cloud Storage, or a part of one below a prefix, through the JSON API.
struct GCSObjectStore: ObjectStore {
    let bucket: String
    /// Empty, or ends with a slash; callers never see it.
    let prefix: String
    let endpoint: StorageEndpoint
    let http: HTTPClient
    let tokens: TokenSource

    var url: String { "gs://\(bucket)/\(prefix)".trimmed("/") }

    /// Buckets are made by `Bucket`, after their owner agreed to what they cost: this only checks.
    func create() async throws { try await check() }

    /// One listing and, where the service knows the question, one look at the permissions; neither needs more than coldroll's role.
    func check() async throws {
        let wanted: [BucketOperation] = [.create, .get, .list]
        let query = wanted.map { "permissions=\($0.rawValue)" }.joined(separator: "&")
        async let permissions = repeated(
            HTTPRequest("GET", "\(endpoint.base)/storage/v1/b/\(bucket)/iam/testPermissions?\(query)"),
            subject: "Checking \(url)"
        )
        // What a listing says of a bucket that is missing or refused is told first.
        _ = try await page(prefix: "", pageToken: nil, most: 1, subject: "Listing \(url)")
        let response = try await permissions
        struct Answer: Decodable { let permissions: [String]? }
        guard response.status == 200,
            let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body))
        else { return }
        let missing = wanted.map(\.rawValue).filter { !(answer.permissions ?? []).contains($0) }
        guard missing.isEmpty else {
            throw StorageError(
                code: .denied,
                message: """
                    The account may not use \(url) as an archive: give it \(missing.joined(separator: ", ")) \
                    (the roles Storage Object Creator and Storage Object Viewer hold them).
                    """
            )
        }
    }

    /// A check of a bucket writes nothing.
    func look() async throws -> String? {
        try await check()
        return nil
    }

    func head(_ name: String) async throws -> StoredObject? {
        try checkName(name)
        let response = try await repeated(
            HTTPRequest("GET", "\(objectURL(name))?fields=\(ObjectResource.fields)"),
            subject: "Looking up \(quoted(name))"
        )
        switch response.status {
        case 200: return try object(response, name: name)
        case 404 where !Refusal(response).isMissingBucket: return nil
        default: throw Refusal(response).error(.get, "Looking up \(quoted(name))", bucket: bucket)
        }
    }

    func list(
        prefix: String,
        pageToken: String?
    ) async throws -> (objects: [StoredObject], nextPageToken: String?) {
        let page = try await page(prefix: prefix, pageToken: pageToken, most: 1000, subject: "Listing \(url)")
        let objects = try (page.items ?? []).compactMap { item -> StoredObject? in
            guard let full = item.name, full.utf8.starts(with: self.prefix.utf8) else {
                throw malformed("Listing \(url)")
            }
            let name = String(decoding: full.utf8.dropFirst(self.prefix.utf8.count), as: UTF8.self)
            // A console's "folder" leaves an object named like the prefix itself; it is none of ours.
            guard !name.isEmpty else { return nil }
            guard let stored = item.stored(as: name) else { throw malformed("Listing \(quoted(name)) in \(url)") }
            return stored
        }
        return (objects, page.nextPageToken.flatMap { $0.isEmpty ? nil : $0 })
    }

    private func page(
        prefix: String,
        pageToken: String?,
        most: Int,
        subject: String
    ) async throws -> ObjectPage {
        var url =
            "\(endpoint.base)/storage/v1/b/\(bucket)/o?maxResults=\(most)&prefix=\(percentEncoded(self.prefix + prefix))"
            + "&fields=items(\(ObjectResource.fields)),nextPageToken"
        if let pageToken { url += "&pageToken=\(percentEncoded(pageToken))" }
        let response = try await repeated(HTTPRequest("GET", url), subject: subject)
        guard response.status == 200 else { throw Refusal(response).error(.list, subject, bucket: bucket) }
        guard let page = try? JSONDecoder().decode(ObjectPage.self, from: Data(response.body)) else {
            throw malformed(subject)
        }
        return page
    }

    // MARK: Names

    func objectURL(_ name: String) -> String {
        "\(endpoint.base)/storage/v1/b/\(bucket)/o/\(percentEncoded(prefix + name))"
    }

    func insertURL(_ name: String, type: String) -> String {
        "\(endpoint.base)/upload/storage/v1/b/\(bucket)/o?uploadType=\(type)&name=\(percentEncoded(prefix + name))"
            + "&fields=\(ObjectResource.fields)"
    }

    /// As errors name an object: in quotes, control characters escaped.
    func quoted(_ name: String) -> String { "\(String(reflecting: name)) in \(url)" }

    /// Cloud Storage docs, "Object names".
    func checkName(_ name: String) throws {
        let bytes = (prefix + name).utf8
        guard !name.isEmpty, bytes.count <= 1024, !bytes.contains(10), !bytes.contains(13), !bytes.contains(0),
            !["." as String, ".."].contains(prefix + name),
            !(prefix + name).hasPrefix(".well-known/acme-challenge/")
        else {
            throw StorageError(
                code: .rejected,
                message: "\(quoted(name)) is not a name that Cloud Storage takes (1 to 1024 bytes, no line breaks)."
            )
        }
    }

    // MARK: Answers

    func object(_ response: HTTPResponse, name: String) throws -> StoredObject {
        guard
            let resource = try? JSONDecoder().decode(ObjectResource.self, from: Data(response.body)),
            let stored = resource.stored(as: name)
        else { throw malformed("The answer about \(quoted(name))") }
        return stored
    }

    func malformed(_ subject: String) -> StorageError {
        StorageError(
            code: .malformed,
            message: """
                \(subject) is not what Cloud Storage promises: name, size, generation or crc32c is missing or unreadable \
                (an object encrypted with its owner's own key shows no crc32c).
                """
        )
    }
}

extension String {
    /// Without one trailing character.
    fileprivate func trimmed(_ end: Character) -> String { last == end ? String(dropLast()) : self }
}
