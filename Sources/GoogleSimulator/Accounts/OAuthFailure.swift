import HTTPServer

/// A refusal of the token endpoint and its neighbours (RFC 6749, section 5.2).
struct OAuthFailure: Error, Sendable {
    let status: Int
    let error: String
    let description: String

    init(_ status: Int, _ error: String, _ description: String) {
        self.status = status
        self.error = error
        self.description = description
    }

    /// The words that Google has where it has none.
    static func badRequest(_ error: String) -> Self { Self(400, error, "Bad Request") }

    static func missing(_ name: String) -> Self {
        Self(400, "invalid_request", "Missing required parameter: \(name)")
    }

    var answer: ServerAnswer {
        .json(status, .members(("error", .string(error)), ("error_description", .string(description))))
    }
}
