import FoundationEssentials
package import GoogleAuth
package import HTTPClient

/// A bucket itself, its settings and its rights, rather than the objects in it; for `coldroll setup` and `coldroll doctor`.
///
/// Everything here throws `StorageError` with a sentence, or `CancellationError`.
package struct Bucket: Sendable {
    /// Without `gs://`.
    package let name: String
    /// Empty, or ends with a slash: where in it the store is.
    package let prefix: String
    private let store: GCSObjectStore
    private let tries: Int

    /// Nothing is asked of it yet; nil for a directory.
    /// - Parameters:
    ///   - url: of the archive or the state store.
    ///   - http: the process's event loop.
    ///   - tokens: for reading the settings `devstorage.read_only` is enough; for who may read, and for changes,
    ///     `devstorage.full_control` (JSON API discovery document: `scopes` of `buckets.get`, `getIamPolicy` and `patch`).
    ///   - endpoint: as in `openStore`.
    ///   - tries: how often a request is sent that has no answer.
    /// - Throws: `.noBucket` if the URL is of no known form.
    package init?(
        _ url: String,
        http: HTTPClient,
        tokens: TokenSource,
        endpoint: String,
        tries: Int = 6
    ) throws(StorageError) {
        guard let store = try openStore(url, http: http, tokens: tokens, endpoint: endpoint) as? GCSObjectStore else {
            return nil
        }
        name = store.bucket
        prefix = store.prefix
        self.store = store
        self.tries = tries
    }

    package var url: String { "gs://\(name)" }

    /// Its settings; nil if there is no bucket of that name.
    package func read() async throws -> BucketResource? {
        let subject = "Reading the settings of \(url)"
        let response = try await send(HTTPRequest("GET", "\(address)?projection=noAcl"), subject)
        switch response.status {
        case 200: return try decoded(response, subject) as BucketResource
        case 404: return nil
        default: throw Refusal(response).error(.readBucket, subject, bucket: name)
        }
    }

    /// Who may do what in it; nil where the service has no policies, as emulators have not.
    package func policy() async throws -> BucketPolicy? {
        let subject = "Reading who may use \(url)"
        // Version 3 shows bindings that have a condition as what they are (IAM docs: "Policy versions").
        let response = try await send(HTTPRequest("GET", "\(address)/iam?optionsRequestedPolicyVersion=3"), subject)
        switch response.status {
        case 200: return try decoded(response, subject) as BucketPolicy
        case 404, 405: return nil
        default: throw Refusal(response).error(.readPolicy, subject, bucket: name)
        }
    }

    /// Which of these permissions the credentials have; it takes none to ask.
    ///
    /// - Parameter permissions: names such as `storage.objects.get`.
    /// - Returns: nil where the service does not know the question, as emulators do not.
    /// - Throws: `StorageError` where the credentials are refused as a whole, or nothing answers; `.noBucket` if there is none.
    package func held(_ permissions: [String]) async throws -> Set<String>? {
        struct Answer: Decodable { let permissions: [String]? }
        let subject = "Asking what the credentials may do in \(url)"
        let query = permissions.map { "permissions=\($0)" }.joined(separator: "&")
        let response = try await send(HTTPRequest("GET", "\(address)/iam/testPermissions?\(query)"), subject)
        switch response.status {
        case 200:
            let answer: Answer = try decoded(response, subject)
            return Set(answer.permissions ?? [])
        case 401, 403: throw Refusal(response).error(.readBucket, subject, bucket: name)
        case 404 where Refusal(response).isMissingBucket:
            throw Refusal(response).error(.readBucket, subject, bucket: name)
        default: return nil
        }
    }

    /// Makes it.
    ///
    /// - Parameters:
    ///   - new: of this name.
    ///   - project: id or number of the Google Cloud project that it will belong to, and that pays for it.
    /// - Returns: false if there is one of that name already, of whomever: also where an earlier answer was lost.
    /// - Throws: `StorageError`: `.denied` with the permission, `.rejected` for a name, location or project that is none.
    package func make(_ new: NewBucket, project: String) async throws -> Bool {
        let subject = "Making the bucket \(url) in the project \(project)"
        let address = "\(store.endpoint.base)/storage/v1/b?project=\(percentEncoded(project))"
        let response = try await send(try jsonRequest("POST", address, new.json()), subject)
        switch response.status {
        case 200, 201: return true
        case 409: return false
        case 403 where !Refusal(response).isScope:
            let said = Refusal(response).detail.map { " (\($0))" } ?? ""
            throw StorageError(
                code: .denied,
                message: """
                    \(subject) was refused: it takes the permission storage.buckets.create in that project (the role \
                    Storage Admin holds it)\(said).
                    """
            )
        default: throw Refusal(response).error(.changeBucket, subject, bucket: name)
        }
    }

    /// Changes its settings.
    ///
    /// - Parameters:
    ///   - change: what is to be different.
    ///   - version: of the settings that the change was decided on.
    /// - Returns: false if they have changed since: also where an earlier answer was lost.
    /// - Throws: `StorageError`: `.denied` with the permission.
    package func change(_ change: BucketChange, version: Int64?) async throws -> Bool {
        let subject = "Changing the settings of \(url)"
        let condition = version.map { "&ifMetagenerationMatch=\($0)" } ?? ""
        let request = try jsonRequest("PATCH", "\(address)?projection=noAcl\(condition)", change.json())
        let response = try await send(request, subject)
        switch response.status {
        case 200: return true
        case 412: return false
        default: throw Refusal(response).error(.changeBucket, subject, bucket: name)
        }
    }

    private var address: String { "\(store.endpoint.base)/storage/v1/b/\(name)" }

    private func send(_ request: HTTPRequest, _ subject: String) async throws -> HTTPResponse {
        var attempts = Attempts(most: tries)
        while true {
            switch try await store.once(request, subject: subject, attempts: &attempts) {
            case .answer(let response): return response
            case .fault(let fault): try await attempts.pause(after: fault)
            }
        }
    }

    private func jsonRequest(_ method: String, _ url: String, _ body: [UInt8]) -> HTTPRequest {
        HTTPRequest(
            method,
            url,
            headers: [HTTPField("Content-Type", "application/json; charset=UTF-8")],
            body: .bytes(body)
        )
    }

    private func decoded<Value: Decodable>(_ response: HTTPResponse, _ subject: String) throws -> Value {
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(response.body)) else {
            throw StorageError(code: .malformed, message: "\(subject): the answer is not what Cloud Storage promises.")
        }
        return value
    }
}
