import HTTPServer

/// A refusal of the JSON API (Cloud Storage: HTTP status and error codes for JSON).
struct StorageRefusal: Error {
    let status: Int
    let reason: String
    let message: String
    var domain = "global"
    /// Where in the request the fault stands, if Google says so.
    var location: String?
    /// `header` or `parameter`.
    var locationType = "header"

    var answer: ServerAnswer {
        let error = JSONValue.members(
            ("message", .string(message)),
            ("domain", .string(domain)),
            ("reason", .string(reason)),
            ("locationType", location == nil ? nil : .string(locationType)),
            ("location", location.map { .string($0) })
        )
        let body = JSONValue.members(
            ("code", .integer(Int64(status))),
            ("message", .string(message)),
            ("errors", .array([error]))
        )
        return .json(status, .members(("error", body)))
    }

    /// The same where bytes that are not there were asked for: the sentence alone (firebase/firebase-tools#3647 shows both
    /// answers to one question).
    var plainAnswer: ServerAnswer {
        ServerAnswer(
            status,
            headers: [(name: "Content-Type", value: "text/html; charset=UTF-8")],
            body: .bytes(Array(message.utf8))
        )
    }

    static func invalid(_ message: String) -> StorageRefusal {
        StorageRefusal(status: 400, reason: "invalid", message: message)
    }

    static func parseError() -> StorageRefusal {
        StorageRefusal(status: 400, reason: "parseError", message: "Parse Error")
    }

    static func missing(parameter: String) -> StorageRefusal {
        StorageRefusal(
            status: 400,
            reason: "required",
            message: "Required parameter: \(parameter)",
            location: parameter,
            locationType: "parameter"
        )
    }

    static func forbidden(_ reason: String, _ message: String) -> StorageRefusal {
        StorageRefusal(status: 403, reason: reason, message: message)
    }

    /// The account has not the permission on a `project`, `bucket` or `object`; which of them, Google does not say.
    static func denied(_ permission: String, on kind: String) -> StorageRefusal {
        let resource = kind == "project" ? "Google Cloud project" : "Google Cloud Storage \(kind)"
        return .forbidden(
            "forbidden",
            "\(caller) does not have \(permission) access to the \(resource). Permission '\(permission)' denied on "
                + "resource (or it may not exist)."
        )
    }

    /// Whom refusals name, whichever of the accounts it was.
    private static let caller = "simulator@simulated-project.iam.gserviceaccount.com"

    /// The name of a new bucket is taken, by the caller or by somebody else.
    static func taken(isForeign: Bool) -> StorageRefusal {
        let message =
            isForeign
            ? "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
                + "Please select a different name and try again."
            : "Your previous request to create the named bucket succeeded and you already own it."
        return StorageRefusal(status: 409, reason: "conflict", message: message)
    }

    static func noBucket() -> StorageRefusal {
        StorageRefusal(status: 404, reason: "notFound", message: "The specified bucket does not exist.")
    }

    static func noObject(_ bucket: String, _ name: String) -> StorageRefusal {
        StorageRefusal(status: 404, reason: "notFound", message: "No such object: \(bucket)/\(name)")
    }

    static func condition() -> StorageRefusal {
        StorageRefusal(
            status: 412,
            reason: "conditionNotMet",
            message: "At least one of the pre-conditions you specified did not hold.",
            location: "If-Match"
        )
    }

    /// More than a bucket every two seconds, or more than one change of it a second (Cloud Storage: quotas and limits).
    static func bucketRate(_ bucket: String?) -> StorageRefusal {
        let message =
            bucket.map {
                "The bucket \($0) exceeded the rate limit for bucket mutation operations (create, update, and delete). "
                    + "Please reduce your request rate."
            } ?? "The project exceeded the rate limit for creating and deleting buckets."
        return StorageRefusal(status: 429, reason: "rateLimitExceeded", message: message, domain: "usageLimits")
    }

    static func mutationRate(_ bucket: String, _ name: String) -> StorageRefusal {
        StorageRefusal(
            status: 429,
            reason: "rateLimitExceeded",
            message: "The object \(bucket)/\(name) exceeded the rate limit for object mutation operations (create, "
                + "update, and delete). Please reduce your request rate. See "
                + "https://cloud.google.com/storage/docs/gcs429.",
            domain: "usageLimits"
        )
    }
}
