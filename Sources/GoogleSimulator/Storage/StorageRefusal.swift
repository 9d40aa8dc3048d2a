import HTTPServer

/// A refusal of the JSON API (Cloud Storage: HTTP status and error codes for JSON).
struct StorageRefusal: Error {
    let status: Int
    let reason: String
    let message: String
    var domain = "global"
    /// Where in the request the fault stands, if Google says so.
    var location: String?

    var answer: ServerAnswer {
        let error = JSONValue.members(
            ("message", .string(message)),
            ("domain", .string(domain)),
            ("reason", .string(reason)),
            ("locationType", location == nil ? nil : .string("header")),
            ("location", location.map { .string($0) })
        )
        let body = JSONValue.members(
            ("code", .integer(Int64(status))),
            ("message", .string(message)),
            ("errors", .array([error]))
        )
        return .json(status, .members(("error", body)))
    }

    static func invalid(_ message: String) -> StorageRefusal {
        StorageRefusal(status: 400, reason: "invalid", message: message)
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
