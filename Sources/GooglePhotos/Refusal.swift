import Foundation
import HTTPClient

/// The body of an error of a Google API; every field may be missing.
struct WireRefusal: Decodable {
    /// Name of a google.rpc.Code, such as `PERMISSION_DENIED`.
    let status: String?
    let message: String?
    /// Of the `google.rpc.ErrorInfo` among the details, such as `ACCESS_TOKEN_SCOPE_INSUFFICIENT`.
    let reasons: [String]
    /// Of the same details, such as `1/d/{project}` for a quota a day (Service Usage API: "QuotaLimit").
    let quotaUnits: [String]

    private enum Key: String, CodingKey { case error }
    private enum ErrorKey: String, CodingKey { case status, message, details }
    private struct Detail: Decodable {
        struct Metadata: Decodable { let quota_unit: String? }
        let reason: String?
        let metadata: Metadata?
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        // Some say it in a word only: {"error": "internal_failure"}.
        if let words = try? container.decode(String.self, forKey: .error) {
            status = nil
            message = words
            reasons = []
            quotaUnits = []
            return
        }
        let error = try container.nestedContainer(keyedBy: ErrorKey.self, forKey: .error)
        status = error.lenient(.status)
        message = error.lenient(.message)
        let details = error.lenient(.details, as: [Lenient<Detail>?].self)?.compactMap { $0?.value } ?? []
        reasons = details.compactMap(\.reason)
        quotaUnits = details.compactMap { $0.metadata?.quota_unit }
    }

    /// Nil if the body is not Google's, say a proxy's page.
    init?(_ body: [UInt8]) {
        guard JSONLimits.allow(body), let refusal = try? JSONDecoder().decode(Self.self, from: Data(body)) else {
            return nil
        }
        self = refusal
    }

    /// Whether a quota a day is used up, rather than one a minute.
    var isAboutTheDay: Bool {
        quotaUnits.contains { $0.hasPrefix("1/d/") } || (message?.lowercased().contains("per day") ?? false)
    }

    /// Whether a 403 is about the login or the project rather than about one item.
    var isAboutLogin: Bool {
        let words = message?.lowercased() ?? ""
        return !reasons.isEmpty || ["scope", "disabled", "has not been used"].contains { words.contains($0) }
    }
}

extension PhotosError {
    /// A daily quota is over after a day at most; a larger Retry-After is a mistake.
    private static let longestPause = Duration.seconds(24 * 3600)

    /// What an answer other than 2xx to an API call means.
    init(refusal response: HTTPResponse, of call: APICall) {
        let refusal = WireRefusal(response.body)
        let words = ServerWords.quoted(refusal?.message)
        let name = refusal?.status.map { " \(ServerWords.cleaned($0))" } ?? ""
        let said = "Google Photos could not \(call.task): it answered \(response.status)\(name)\(words)."
        if let task = call.picker {
            let code = Self.pickerCode(of: response.head, refusal, task, hasPageToken: call.hasPageToken)
            self.init(code: code, message: Self.explained(said, code))
            return
        }
        let code = Self.code(of: response.head, refusal, call)
        self.init(code: code, message: code == .insufficientScopes ? "\(said) \(Self.scopesExplained)" : said)
    }

    /// What an error in place of a page means, though the answer's status promised one: nothing is known of the page.
    init(pagedRefusal refusal: WireRefusal, of call: APICall) {
        let words = ServerWords.quoted(refusal.message)
        let name = refusal.status.map { " \(ServerWords.cleaned($0))" } ?? ""
        self.init(
            code: .malformed,
            message:
                "Google Photos could not \(call.task): it answered 200 with an error\(name) in place of a page\(words)."
        )
    }

    private static func code(of head: HTTPHead, _ refusal: WireRefusal?, _ call: APICall) -> Code {
        switch (head.status, refusal?.status) {
        case (401, _): .unauthenticated
        case (403, "PERMISSION_DENIED"):
            call.isAboutOneItem && refusal?.isAboutLogin == false ? .notFound : .insufficientScopes
        case (429, _), (403, "RESOURCE_EXHAUSTED"):
            refusal?.isAboutTheDay ?? false ? .dailyQuota : .quota(retryAfter: quotaPause(head))
        case (404, _), (410, _): .notFound
        case (400, "INVALID_ARGUMENT") where call.hasPageToken: .badPageToken
        case (let status, _): passing(status, head) ?? .rejected(status: status)
        }
    }

    /// What an answer other than 200 to a base URL means.
    init(mediaRefusal head: HTTPHead, from host: String) {
        let code: Code =
            switch head.status {
            case 401, 403: .baseURLExpired
            case 404, 410: .notFound
            case 429: .quota(retryAfter: Self.quotaPause(head))
            case 200...299: .malformed
            case let status: Self.passing(status, head) ?? .rejected(status: status)
            }
        self.init(code: code, message: "\(host) answered \(head.status) instead of a photo or video.")
    }

    /// Statuses that pass: the service's or a network's, not the request's.
    ///
    /// The API never redirects, so a 3xx is somebody else's login page.
    static func passing(_ status: Int, _ head: HTTPHead) -> Code? {
        switch status {
        case 300...399, 408, 500...: .unavailable(retryAfter: head.retryAfter.map { min($0, longestPause) })
        default: nil
        }
    }

    static func quotaPause(_ head: HTTPHead) -> Duration? {
        head.retryAfter.map { min($0, longestPause) }
    }

    private static let scopesExplained = """
        Since 31 March 2025 the Library API shows a client only what the same OAuth client uploaded, and logins with the \
        older scopes are refused. To archive what your client uploaded, enable the Photos Library API in its project and \
        log in with the scope https://www.googleapis.com/auth/photoslibrary.readonly.appcreateddata; the rest of a library \
        can be picked by hand in the Picker (COLDROLL_SOURCE=picker), or comes whole in a Takeout export, which this version \
        of coldroll does not archive yet.
        """
}
