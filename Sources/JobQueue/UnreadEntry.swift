/// An entry of a listing that has no id, by what the source says of it otherwise.
///
/// Two that say the same are the same: how many there are is all that tells them apart.
package struct UnreadEntry: Sendable, Hashable {
    /// Digest of all that is known of it; empty if that is nothing.
    package let identity: String
    /// For a person to look for; the first `shownLength` characters of it are kept.
    package let filename: String?
    /// RFC 3339 UTC.
    package let captureTime: String?

    package static let shownLength = 200

    package init(identity: String, filename: String? = nil, captureTime: String? = nil) {
        self.identity = identity
        self.filename = filename.map { String(String.UnicodeScalarView($0.unicodeScalars.prefix(Self.shownLength))) }
        self.captureTime = captureTime
    }
}

/// An entry without an id that is not acknowledged, as a person may look for it.
package struct Gap: Sendable, Equatable {
    package let filename: String?
    /// Of its capture, UTC, as 2024-05-31; nil, like the name, if the source does not say it.
    package let day: String?

    package init(filename: String?, day: String?) {
        self.filename = filename
        self.day = day
    }
}
